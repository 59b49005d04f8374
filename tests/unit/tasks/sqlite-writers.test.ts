/** Where commits are made: on the event loop, in a thread, and the move from one to the other. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate as turn } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GroupCommit, type Write } from '../../../src/tasks/stores/group-commit.ts'
import { SqliteAdapter } from '../../../src/tasks/stores/sqlite.ts'
import { MovingWriter, type Places } from '../../../src/tasks/stores/sqlite/moving-writer.ts'
import { openWriterThread } from '../../../src/tasks/stores/sqlite/writer-thread.ts'
import { openWriter, type Writer } from '../../../src/tasks/stores/sqlite/writer.ts'

const write = (key: string): Write => ({ kind: 'delete', values: [key] })

/** Places that note what is done where. */
const createPlaces = (waits: () => number, thread?: () => Promise<Writer>) => {
  const log: string[] = []
  const reports: string[] = []
  const writerAt = (place: string, waited?: () => number): Writer => {
    log.push(`open ${place}`)
    return {
      commit: (writes) => {
        log.push(...writes.map(({ values }) => `${place} ${String(values[0])}`))
        return writes.map(() => 1)
      },
      ...(waited
        ? {
            get waited() {
              return waited()
            },
          }
        : {}),
      close: () => void log.push(`close ${place}`),
    }
  }
  const places: Places = {
    inline: async () => writerAt('inline', waits),
    thread: thread ?? (async () => writerAt('thread')),
    report: (message) => reports.push(message),
  }
  return { log, reports, places }
}

describe('a writer that may move', () => {
  const commitAll = async (places: Places, count: number) => {
    const writer = await new MovingWriter(places).open()
    const commits = new GroupCommit((writes) => writer.commit(writes))
    for (let n = 0; n < count; n++) await commits.write(write(`${n}`))
    return writer
  }

  it('stays on the event loop while commits are quick, for all the stalls there are now and then', async () => {
    let n = 0
    const { log, places } = createPlaces(() => (++n % 100 === 0 ? 90 : 0.5))
    await commitAll(places, 1000)
    expect(log.filter((line) => line.startsWith('open'))).toEqual(['open inline'])
  })

  it.each([
    [30, 4],
    [4, 50],
  ])('moves into a thread when each waits %i ms, after %i, and stays there', async (ms, after) => {
    const { log, places } = createPlaces(() => ms)
    const writer = await commitAll(places, 200)
    await writer.close()
    const of = (place: string) => log.filter((line) => /\d/.test(line) && line.startsWith(place))
    expect(of('inline')).toHaveLength(after)
    expect(of('thread')).toHaveLength(200 - after)
    expect(log.filter((line) => /\d/.test(line)).map((line) => Number(line.split(' ')[1]))).toEqual(
      Array.from({ length: 200 }, (_, n) => n),
    )
    // Never two at once.
    expect(log.filter((line) => !/\d/.test(line))).toEqual([
      'open inline',
      'close inline',
      'open thread',
      'close thread',
    ])
  })

  it('goes on where it was when no thread can be started, says so, and does not try again', async () => {
    let tries = 0
    const { log, reports, places } = createPlaces(
      () => 50,
      async () => {
        tries += 1
        throw new Error('no more threads')
      },
    )
    await commitAll(places, 50)
    expect(tries).toBe(1)
    expect(reports).toEqual([expect.stringContaining('no thread could be started')])
    expect(log.filter((line) => /\d/.test(line))).toHaveLength(50)
  })
})

describe('a writer in a thread', () => {
  let dir: string
  const threads: Worker[] = []
  const watch = (worker: Worker) => void threads.push(worker)
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'errand-writer-'))
    process.on('worker', watch)
  })
  afterEach(() => {
    process.off('worker', watch)
    threads.splice(0)
    rmSync(dir, { recursive: true })
  })

  it('lets a value be read as soon as its write is acknowledged', async () => {
    const adapter = new SqliteAdapter({ dir, writer: 'thread' })
    for (let n = 0; n < 200; n++) {
      await adapter.set('key', `${n}`)
      expect(await adapter.get('key')).toBe(`${n}`)
    }
    await adapter.disconnect()
  })

  it('that dies fails the commit it was busy with, and is started again for the next', async () => {
    const adapter = new SqliteAdapter({ dir, writer: 'thread' })
    await adapter.set('a', '1')
    const other = new DatabaseSync(join(dir, 'tasks.db'))
    other.exec('BEGIN IMMEDIATE') // The thread has to wait.
    const lost = adapter.set('b', '2')
    for (let turns = 0; turns < 5; turns++) await turn()
    const ended = threads[0]!.terminate()
    other.close()
    await expect(lost).rejects.toThrow('The thread that writes to the task store is gone')
    await ended
    await adapter.set('c', '3')
    expect(threads).toHaveLength(2)
    expect([await adapter.get('a'), await adapter.get('c')]).toEqual(['1', '3'])
    await adapter.disconnect()
    await adapter.open((message) => expect.unreachable(message))
    expect([await adapter.get('a'), await adapter.get('c')]).toEqual(['1', '3'])
    await adapter.disconnect()
  })

  it('tells a write that fails alone from the others, as one on the event loop does', async () => {
    const adapter = new SqliteAdapter({ dir })
    await adapter.open()
    await adapter.disconnect()
    const put = (key: string | null): Write => ({ kind: 'put', values: [key, 0, null, 'x'] })
    const results = async (open: (path: string) => Promise<Writer>) => {
      const writer = await open(join(dir, 'tasks.db'))
      const all = await writer.commit([put('a'), put(null), put('b')])
      await writer.close()
      return all
    }
    const expected = [1, expect.objectContaining({ message: 'NOT NULL constraint failed: entry.key' }), 1]
    expect(await results(openWriter)).toEqual(expected)
    expect(await results(openWriterThread)).toEqual(expected)
  })

  it('fails to open where one on the event loop does, with the same words', async () => {
    writeFileSync(join(dir, 'tasks.db'), 'To whom it may concern. '.repeat(500))
    const words = async (open: (path: string) => Promise<Writer>) =>
      open(join(dir, 'tasks.db')).then(
        () => 'opened',
        (error: Error) => error.message,
      )
    expect(await words(openWriter)).toBe('file is not a database')
    expect(await words(openWriterThread)).toBe('file is not a database')
  })
})
