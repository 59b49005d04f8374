/** The embedded store on a disk that is slow or full, as real processes meet it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { local } from '../../src/tasks/engines/local.ts'
import { host } from '../support/damage/sample-store.ts'
import { startTraced, noStrace, type SystemCall } from '../support/strace.ts'

const traced = (title: string) => (noStrace === undefined ? title : `${title} (${noStrace})`)

const STARTS = new URL('../fixtures/stores/starts.ts', import.meta.url)
const IDLE = new URL('../fixtures/stores/idle.ts', import.meta.url)

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'errand-faults-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

/** Runs the starts on a disk with a fault: what the process told, and its calls. */
const run = async (args: readonly string[], options: readonly string[]) => {
  const { child, calls } = startTraced(options, STARTS, [dir, ...args])
  const lines = (await text(child.stdout)).trim().split('\n')
  return { lines, calls: await calls }
}

const of = (lines: readonly string[], what: string): readonly string[] =>
  lines.filter((line) => line.startsWith(`${what} `)).map((line) => line.slice(what.length + 1))

/** What is there afterwards, on a good disk. */
const tasksLeft = async (): Promise<ReadonlyMap<string, string>> => {
  const engine = await local({ dir }).create()
  await engine.open(host)
  const { items } = await engine.list({ limit: 200 })
  await engine.close()
  return new Map(items.map(({ id, status }) => [id, status]))
}

const SLOW = ['-e', 'trace=fsync,fdatasync', '-e', 'inject=fsync,fdatasync:delay_enter=25000']

/** Which threads waited for the log, in order. */
const waitersIn = (calls: readonly SystemCall[]): readonly number[] =>
  calls.filter(({ target }) => target.endsWith('/tasks.db-wal')).map(({ pid }) => pid)

describe.skipIf(noStrace)('a slow disk', () => {
  it(
    traced('is waited for in a thread, once it has proved slow'),
    async () => {
      const { lines, calls } = await run(['auto'], SLOW)
      const waiters = waitersIn(calls)
      const main = waiters[0]
      const moved = waiters.findIndex((pid) => pid !== main)
      expect(moved).toBeGreaterThan(1)
      expect(waiters.slice(moved)).not.toContain(main)
      expect(waiters.length - moved).toBeGreaterThan(moved)
      expect(of(lines, 'report')).toEqual([])
      expect(of(lines, 'ended')).toHaveLength(56)
      expect(new Set((await tasksLeft()).values())).toEqual(new Set(['succeeded']))
    },
    60_000,
  )

  it.each([
    ['inline', true],
    ['thread', false],
  ])(
    traced('is waited for on the event loop or in a thread as the option says: %s'),
    async (writer, onLoop) => {
      const { calls } = await run([writer], SLOW)
      const main = calls[0]!.pid // It makes the file, whoever writes to it.
      expect(waitersIn(calls).some((pid) => pid === main)).toBe(onLoop)
      expect(waitersIn(calls).some((pid) => pid !== main)).toBe(!onLoop)
    },
    60_000,
  )
})

/** Some writes to the log fail. */
const fullDisk = (): readonly string[] => [
  '-P',
  join(dir, 'tasks.db-wal'),
  '-e',
  'trace=pwrite64',
  '-e',
  'inject=pwrite64:error=ENOSPC:when=40..41',
]

describe.skipIf(noStrace)('a full disk', () => {
  it.each(['inline', 'thread'])(
    traced('refuses starts, and takes them again when there is room, written %s'),
    async (writer) => {
      const { lines } = await run([writer, 'queue'], fullDisk())
      const [started, refused] = [of(lines, 'started'), of(lines, 'refused')]
      expect(refused.length).toBeGreaterThan(0)
      for (const line of refused) expect(line).toMatch(/^EngineUnavailable: .*full/)
      expect(started.length + refused.length).toBe(56)
      expect(of(lines, 'report')).toEqual([])
      expect([...(await tasksLeft()).keys()].sort()).toEqual([...started].sort())
    },
    60_000,
  )

  it.each(['inline', 'thread'])(
    traced('keeps an end that can not be written until it can, written %s'),
    async (writer) => {
      const { lines } = await run([writer], fullDisk())
      expect(of(lines, 'report').join('\n')).toContain('is full')
      expect(of(lines, 'started').length + of(lines, 'refused').length).toBe(56)
      const left = await tasksLeft()
      expect(of(lines, 'ended').filter((id) => left.get(id) !== 'succeeded')).toEqual([])
      expect(of(lines, 'started').filter((id) => left.get(id) !== 'succeeded')).toEqual([])
    },
    60_000,
  )
})

describe('a process with an open store', () => {
  it.each(['inline', 'thread'])('ends by itself when nothing is to be done, written %s', async (writer) => {
    const child = spawn(process.execPath, ['--conditions=errand-source', IDLE.pathname, dir, writer])
    const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
    expect(said).toBe('started\n')
    expect(code).toBe(0)
    expect([...(await tasksLeft()).values()]).toEqual(['queued'])
  })
})
