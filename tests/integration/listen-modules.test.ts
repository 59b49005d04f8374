/** A module that workers can't use fails the start, with the reason; a good one is imported once for it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createApp, local, type App } from 'errand'
import { tree } from '../fixtures/modules/tree.ts'
import { serveApp } from '../support/serve.ts'
import { taskOf } from '../support/tasks.ts'
import { tempDir } from '../support/temp.ts'

const moduleAt = (name: string): string => new URL(`../fixtures/modules/${name}.ts`, import.meta.url).href

type Procedures = Partial<typeof tree>

const appOf = (procedures: Procedures, name: string, dir: string, options: object = {}): App =>
  createApp(procedures, {
    module: moduleAt(name),
    profile: 'test',
    tasks: local({ dir, threads: 1, processes: 1, ...options }),
  })

const { onThreads, onProcesses, onTheLoop, ping } = tree

const REFUSALS: readonly (readonly [string, Procedures, RegExp])[] = [
  [
    'throws',
    { onThreads },
    /^No task can run on threads: file:.*throws\.ts can't be used: Error: no DATABASE_URL\n +at .*throws\.ts:2/,
  ],
  [
    'throws',
    { onProcesses },
    /^No task can run on processes: file:.*throws\.ts can't be used: Error: no DATABASE/,
  ],
  ['throws', { onThreads, onProcesses, onTheLoop }, /no DATABASE_URL/],
  ['elsewhere', { onThreads }, /elsewhere\.ts was imported, but made no app\. Expected it to call createApp/],
  ['elsewhere', { onProcesses }, /made no app/],
  ['nowhere', { onThreads }, /Cannot find module '.*nowhere\.ts'/],
  ['nowhere', { onProcesses }, /Cannot find module '.*nowhere\.ts'/],
]

describe('listen', { timeout: 60_000 }, () => {
  test.each(REFUSALS)('refuses the module that %s', async (name, procedures, reason) => {
    const dir = await tempDir()
    const app = appOf(procedures, name, dir)
    await expect(app.listen({ port: 0 })).rejects.toThrow(reason)
    await expect(app.listen({ port: 0 })).rejects.toThrow(reason)
    // Nothing is held: another process could serve on the same store.
    await serveApp(appOf({ onTheLoop }, name, dir))
  })

  test('leaves what waits in the store as it is when it fails', async () => {
    const dir = await tempDir()
    process.env['MODULES_FILE'] = join(dir, 'imports')
    const before = appOf(tree, 'counts', dir)
    const served = await serveApp(before)
    const later = { 'task-delay': '300ms' }
    const { id } = taskOf(await served.call('/onThreads/tasks', undefined, later))
    await before.close()
    await expect(appOf(tree, 'throws', dir).listen({ port: 0 })).rejects.toThrow('no DATABASE_URL')
    const after = await serveApp(appOf(tree, 'counts', dir))
    const task = taskOf(await after.get(`/tasks/${id}?wait=20`))
    expect(task).toMatchObject({ status: 'succeeded', attempt: 1, attempts: [{ n: 1 }] })
  })

  test('imports a good module once for each kind of worker that is needed, and keeps the workers', async () => {
    const dir = await tempDir()
    process.env['MODULES_FILE'] = join(dir, 'imports')
    const imports = () => readFileSync(join(dir, 'imports'), 'utf8').split('\n').length - 1
    const { call } = await serveApp(appOf({ onThreads, onProcesses, onTheLoop }, 'counts', dir))
    expect(imports()).toBe(2)
    for (const path of ['/onThreads', '/onProcesses', '/onTheLoop', '/onThreads', '/onProcesses'])
      expect((await call(path)).status).toBe(204)
    expect(imports()).toBe(2)
  })

  test('does not ask workers that no task needs', async () => {
    const dir = await tempDir()
    const { call } = await serveApp(appOf({ ping, onTheLoop }, 'throws', dir))
    expect((await call('/onTheLoop')).status).toBe(204)
    const without = createApp({ ping }, { module: moduleAt('throws'), profile: 'test' })
    expect((await (await serveApp(without)).call('/ping')).status).toBe(204)
  })
})
