import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import type { Executor, Outcome } from '../../src/tasks/executor.ts'
import { createProcesses } from '../../src/tasks/executors/processes.ts'
import type { WorkerOptions } from '../../src/tasks/executors/runtime.ts'
import { createThreads } from '../../src/tasks/executors/threads.ts'

const fixture = (name: string): URL => new URL(`../fixtures/executors/${name}.ts`, import.meta.url)
const kinds = { threads: createThreads, processes: createProcesses } as const
const names = Object.keys(kinds) as (keyof typeof kinds)[]

const open = new Set<Executor>()
const create = (kind: keyof typeof kinds, options: Partial<WorkerOptions> = {}): Executor => {
  const executor = kinds[kind]({ module: fixture('app').href, workers: 2, report: () => {}, ...options })
  open.add(executor)
  return executor
}

const run = (executor: Executor, procedure: string, input: unknown = null): Promise<Outcome> => {
  const events = { progress() {}, log() {}, start: async () => null }
  return executor.run({ taskId: 'task', procedure, input, attempt: 1 }, events, () => {}).outcome
}

const startHost = (...args: string[]): ChildProcess => {
  const host = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  hosts.add(host)
  return host
}

const hosts = new Set<ChildProcess>()

const nextLine = async (host: ChildProcess): Promise<unknown> => {
  if (!host.stdout) throw new Error('the host has no output')
  const [line] = (await once(createInterface(host.stdout), 'line')) as [string]
  return JSON.parse(line)
}

const spin = (ms: number): void => {
  const end = performance.now() + ms
  while (performance.now() < end);
}

// A process that nobody has reaped yet is dead all the same.
const isAlive = (pid: number): boolean => {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout.trim() !== '' && !stdout.startsWith('Z')
}

afterEach(async () => {
  for (const host of hosts) host.kill('SIGKILL')
  await Promise.all([...open].map((executor) => executor.close()))
  hosts.clear()
  open.clear()
})

describe('executors in a host of their own', { timeout: 30_000 }, () => {
  const host = fileURLToPath(fixture('host'))

  test('a host killed with SIGKILL leaves no worker process after two seconds', async () => {
    const child = startHost(host, 'processes', 'busy')
    const outcomes = (await nextLine(child)) as { value: string }[]
    const pids = outcomes.map(({ value }) => Number(value.split('/')[0]))
    expect(new Set(pids).size).toBe(2)
    expect(pids.every(isAlive)).toBe(true)
    child.kill('SIGKILL')
    await sleep(2000)
    expect(pids.filter(isAlive)).toEqual([])
  })

  test.each(names)('a host that closed its %s ends by itself', async (kind) => {
    const child = startHost(host, kind, 'closes')
    const [line, [code]] = await Promise.all([nextLine(child), once(child, 'exit')])
    expect(line).toEqual({ kind: 'value', value: null })
    expect(code).toBe(0)
  })

  test.each(names)('idle %s cost next to no time', async (kind) => {
    // Milliseconds in two seconds.
    expect(await nextLine(startHost(host, kind, 'idles'))).toBeLessThan(60)
  })

  test.each(names)('%s start in a host that runs a text with its own options', async (kind) => {
    const code = `process.argv.splice(1, 2, '', '${kind}', 'closes'); await import('${fixture('host').href}')`
    const child = startHost('--max-old-space-size=200', '--input-type=module', '--eval', code)
    expect(await nextLine(child)).toEqual({ kind: 'value', value: null })
  })
})

describe.each(names)('executor: %s', { timeout: 60_000 }, (kind) => {
  test('tells why a worker can not even begin to start', async () => {
    const executor = create(kind, { execArgv: ['--import=./nowhere.mjs'] })
    const outcomes = await Promise.all([run(executor, 'noop'), run(executor, 'noop'), run(executor, 'noop')])
    for (const outcome of outcomes)
      expect(outcome).toEqual({
        kind: 'lost',
        reason: expect.stringContaining('The worker could not start') as string,
      })
  })

  test('refuses a number of workers that is none', () => {
    expect(() => create(kind, { workers: 0 })).toThrow(/0 workers were asked for; expected a whole number/)
  })

  test('runs no call twice when calls are taken back', async () => {
    const executor = create(kind)
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'errand-executors-')), 'notes')
    const ids = Array.from({ length: 2000 }, (_, id) => id)
    const left = [...ids]
    const lane = async (): Promise<void> => {
      for (let id = left.shift(); id !== undefined; id = left.shift()) {
        const ms = id % 24 === 7 ? 25 : id % 24 === 14 ? 12 : 0
        expect(await run(executor, 'notes', { file, id, ms })).toEqual({ kind: 'value', value: id })
        // Now and then the host is late too.
        if (id % 90 === 0) spin(30)
      }
    }
    await Promise.all(Array.from({ length: 64 }, lane))
    const notes = readFileSync(file, 'utf8').trim().split('\n').map(Number)
    expect(notes.toSorted((a, b) => a - b)).toEqual(ids)
  })

  test('refuses an input that JSON cannot hold, and serves those behind it', async () => {
    const executor = create(kind, { workers: 1 })
    const outcomes = await Promise.all([
      run(executor, 'noop', 1n),
      run(executor, 'noop', 2n),
      run(executor, 'noop'),
    ])
    expect(outcomes.map((outcome) => outcome.kind)).toEqual(['error', 'error', 'value'])
    expect(await run(executor, 'noop')).toEqual({ kind: 'value', value: null })
  })

  test('carries large results and small ones side by side', async () => {
    const executor = create(kind)
    const sizes = Array.from({ length: 200 }, (_, n) => (n % 10 === 0 ? 2_000_000 : n))
    const outcomes = await Promise.all(sizes.map((size) => run(executor, 'fills', size)))
    expect(outcomes.map((outcome) => outcome.kind === 'value' && (outcome.value as string).length)).toEqual(
      sizes,
    )
  })

  test('makes a worker in place of one that died, before it is asked for', async () => {
    const executor = create(kind, { workers: 1 })
    const timed = async (): Promise<number> => {
      const from = performance.now()
      await run(executor, 'noop')
      return performance.now() - from
    }
    const cold = await timed()
    await run(executor, 'exit', 1)
    await sleep(2000)
    expect(await timed()).toBeLessThan(cold / 2)
  })
})
