/** hey-api makes a client of the document: it compiles, its types are exact, and it works against the server. */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { app } from '../fixtures/openapi/app.ts'
import type { Json } from '../fixtures/openapi/document-of.ts'

const run = promisify(execFile)
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const root = here('../../')

const TSCONFIG = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2024',
    lib: ['es2024', 'dom', 'dom.iterable', 'dom.asynciterable'],
    strict: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    skipLibCheck: false,
    types: [],
  },
  include: ['consumer.ts', 'sdk/**/*.ts'],
}

describe('a client generated from the document', () => {
  let folder: string
  let url: string
  let sdk: Json
  let schemas: Json

  beforeAll(async () => {
    await mkdir(join(root, 'tests/.tmp'), { recursive: true })
    folder = await mkdtemp(join(root, 'tests/.tmp/sdk-'))
    await writeFile(join(folder, 'openapi.json'), JSON.stringify(await app.openapi()))
    await run(process.execPath, [
      here('../fixtures/openapi/generate-sdk.mjs'),
      join(folder, 'openapi.json'),
      join(folder, 'sdk'),
    ])
    sdk = await import(join(folder, 'sdk/index.ts'))
    schemas = await import(join(folder, 'sdk/zod.gen.ts'))
    url = (await app.listen({ port: 0 })).url
    const { client } = await import(join(folder, 'sdk/client.gen.ts'))
    client.setConfig({ baseUrl: url })
  }, 60_000)

  afterAll(async () => {
    await app.close()
    await rm(folder, { recursive: true })
  })

  it('compiles under strict, with exact types for inputs, outputs, tasks, events and errors', async () => {
    await cp(here('../fixtures/openapi/sdk-consumer.ts.txt'), join(folder, 'consumer.ts'))
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG))
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const { stdout } = await run(process.execPath, [tsc, '-p', folder, '--checkers', '1']).catch(
      (failed) => failed,
    )
    expect(stdout).toBe('')
  }, 120_000)

  it('calls, and gets what the schema says', async () => {
    expect((await sdk.add({ body: { a: 1, b: 2 } })).data).toBe(3)
    const { data } = await sdk.usersCreate({ body: { name: 'Ada' } })
    expect(schemas.zUser.parse(data)).toMatchObject({ name: 'Ada', role: 'member' })
    expect(
      (
        await sdk.usersGet({
          path: { id: data.id },
          headers: { 'x-token': 't' },
          query: { expand: ['roles', 'teams'] },
        })
      ).data,
    ).toBeNull()
    expect((await sdk.ping()).response.status).toBe(204)
    expect(
      (await sdk.filesUpload({ body: { file: new File(['abc'], 'a.png', { type: 'image/png' }) } })).data,
    ).toEqual({ size: 3 })
    expect((await sdk.filesExport()).data).toBe('a,b\n')
    expect(
      (await sdk.shopSearch({ query: { input: JSON.stringify({ where: { text: 'x' } }) } })).data,
    ).toEqual([])
  })

  it('gets problems as the document says', async () => {
    const { error, response } = await sdk.add({ body: { a: 'x', b: 2 } })
    expect(response.status).toBe(400)
    expect(schemas.zInvalidInput.parse(error)).toMatchObject({
      code: 'BAD_REQUEST',
      issues: [{ path: ['a'] }],
    })
    const missing = await sdk.getTask({ path: { taskId: 'nope' } })
    expect(schemas.zProblem.parse(missing.error).status).toBe(404)
  })

  it('streams what a subscription gives', async () => {
    const { stream } = await sdk.shopPrices({ body: { symbol: 'x' } })
    const items: unknown[] = []
    for await (const item of stream) {
      items.push(item)
      break
    }
    expect(items).toEqual([{ symbol: 'x', price: 1 }])
  })

  it('starts, reads, watches and lists tasks, each as the document says', async () => {
    const started = await sdk.startCountPrimes({ body: { below: 10 }, headers: { 'Task-Tags': 'a,b' } })
    expect(started.response.headers.get('location')).toBe(`/tasks/${started.data.id}`)
    expect(schemas.zCountPrimesTask.parse(started.data).tags).toEqual(['a', 'b'])
    const path = { taskId: started.data.id }
    const ended = await sdk.getCountPrimesTask({ path, query: { wait: 5 } })
    expect(schemas.zCountPrimesTask.parse(ended.data)).toMatchObject({
      status: 'succeeded',
      result: { count: 4, largest: 7 },
    })
    expect(
      (
        await sdk.getCountPrimesTask({
          path,
          headers: { 'If-None-Match': ended.response.headers.get('etag') },
        })
      ).response.status,
    ).toBe(304)
    expect(schemas.zTaskSummary.parse((await sdk.getTaskStatus({ path })).data).status).toBe('succeeded')
    expect((await sdk.getTaskResult({ path })).data).toEqual({ count: 4, largest: 7 })
    expect(schemas.zTaskPage.parse((await sdk.listTasks({ query: { tag: 'a' } })).data).items).toHaveLength(1)
    const seen: Json[] = []
    const { stream } = await sdk.watchCountPrimesTask({ path })
    for await (const event of stream) {
      seen.push(schemas.zWatchCountPrimesTaskResponse.parse(event))
      if (event?.status === 'succeeded') break
    }
    expect(seen.at(-1).result).toEqual({ count: 4, largest: 7 })
    expect((await sdk.mediaThumb({ body: { url: 'https://x.test' } })).response.status).toBe(202)
    expect((await sdk.removeTask({ path })).response.status).toBe(204)
  })
})
