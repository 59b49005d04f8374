/**
 * Nothing is acknowledged before it is on the disk: the system calls of real processes are recorded, and at each
 * acknowledgement the files are looked at as a power cut would leave them.
 */
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { local } from '../../src/tasks/engines/local.ts'
import { host } from '../support/damage/sample-store.ts'
import { DurableFiles } from '../support/durable-files.ts'
import { startTraced, noStrace, type SystemCall } from '../support/strace.ts'

const traced = (title: string) => (noStrace === undefined ? title : `${title} (${noStrace})`)

const fixture = (name: string) => new URL(`../fixtures/stores/${name}`, import.meta.url)

/** Everything that changes a file, or makes the change last. */
const FILE_CALLS = ['-s', '100000', '-e', 'trace=write,pwrite64,ftruncate,fsync,fdatasync,rename,unlink']

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'errand-power-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

/** A line that the program told, and the files as they were on the disk by then. */
interface Told {
  readonly line: string
  readonly lasts: boolean
}

/** Whether each thing that was told is in the files that last. `look` reads what is in a directory, by line. */
const check = async (
  calls: readonly SystemCall[],
  look: (dir: string) => Promise<(line: string) => boolean>,
): Promise<readonly Told[]> => {
  const files = new DurableFiles(join(dir, 'data'))
  const image = join(dir, 'image')
  const told: Told[] = []
  let seen: { readonly version: number; readonly has: (line: string) => boolean } | undefined
  for (const call of calls) {
    files.replay(call)
    const line = call.name === 'write' ? call.bytes.toString().trim() : ''
    if (!/^(started|ended) /.test(line)) continue
    if (seen?.version !== files.version) {
      files.writeTo(image)
      seen = { version: files.version, has: await look(image) }
    }
    told.push({ line, lasts: seen.has(line) })
  }
  return told
}

/** What an engine finds that runs nothing. */
const lookWithEngine = async (image: string): Promise<(line: string) => boolean> => {
  const engine = await local({ dir: image }).create()
  await engine.open(host)
  const { items } = await engine.list({ limit: 200 })
  await engine.close()
  const statuses = new Map(items.map(({ id, status }) => [id, status]))
  return (line) => {
    const [what, id = ''] = line.split(' ')
    return what === 'ended' ? statuses.get(id) === 'succeeded' : statuses.has(id)
  }
}

/** What plain SQLite finds. */
const lookWithSqlite = async (image: string): Promise<(line: string) => boolean> => {
  const db = new DatabaseSync(join(image, 'tasks.db'))
  const ids = new Set(
    db
      .prepare('SELECT id FROM task')
      .all()
      .map(({ id }) => `started ${String(id)}`),
  )
  db.close()
  return (line) => ids.has(line)
}

const traceStarts = async (script: string, ...args: string[]): Promise<readonly SystemCall[]> => {
  const data = join(dir, 'data')
  mkdirSync(data)
  const { child, calls } = startTraced(FILE_CALLS, fixture(script), [data, ...args])
  await text(child.stdout)
  return calls
}

/** Posts a start that waits for an hour, and resolves with the status of the answer. */
const post = (url: string, agent: Agent, n: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'task-delay': '1h' }
    request(`${url}/work/tasks`, { method: 'POST', agent, headers }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0))
    })
      .on('error', reject)
      .end(JSON.stringify({ n }))
  })

/** Many starts at once, each over a connection of its own that is used again. */
const postMany = async (url: string, count: number, rounds: number): Promise<readonly number[]> => {
  const agent = new Agent({ keepAlive: true, maxSockets: count })
  const statuses: number[] = []
  for (let round = 0; round < rounds; round++)
    statuses.push(...(await Promise.all(Array.from({ length: count }, (_, n) => post(url, agent, n)))))
  agent.destroy()
  return statuses
}

const isSync = ({ name }: SystemCall) => name === 'fsync' || name === 'fdatasync'
const isOfLog = ({ target }: SystemCall) => target.endsWith('/tasks.db-wal')

/** Each answered start as the calls that read it and that answered it. */
const answersIn = (calls: readonly SystemCall[]) => {
  const asked = new Map<string, SystemCall>()
  return calls.flatMap((call) => {
    if (call.name === 'read' && call.bytes.includes('POST /work/tasks')) asked.set(call.target, call)
    const isAnswer = call.name.startsWith('write') && call.bytes.includes('HTTP/1.1 202')
    return isAnswer ? [{ asked: asked.get(call.target)!, answered: call }] : []
  })
}

describe.skipIf(noStrace)('an answer 202', () => {
  it.each(['inline', 'thread'])(
    traced('comes after an fsync of the log that began after its request, written %s'),
    async (writer) => {
      const options = ['-s', '64', '-e', 'trace=read,write,writev,fsync,fdatasync']
      const { child, calls } = startTraced(options, fixture('server.ts'), [join(dir, 'data'), writer])
      const [url] = (await once(child.stdout, 'data')) as [Buffer]
      const alone = await postMany(url.toString().trim(), 1, 20)
      const together = await postMany(url.toString().trim(), 64, 4)
      expect(new Set([...alone, ...together])).toEqual(new Set([202]))
      child.stdin.end()
      const all = await calls
      const answers = answersIn(all)
      const syncs = all.filter((call) => isSync(call) && isOfLog(call))
      const early = answers.filter(
        ({ asked, answered }) =>
          !syncs.some(({ began, ended }) => began > asked.ended && ended < answered.began),
      )
      expect(answers).toHaveLength(20 + 256)
      expect(early.map(({ answered }) => answered.target)).toEqual([])

      // One by one each start has an fsync of its own; of many at once, many share one.
      const ofMany = syncs.filter(({ began }) => began > answers[19]!.answered.ended)
      console.log(`${writer}: 256 starts, 64 at once, shared ${ofMany.length} fsyncs of the log`)
      expect(syncs.length - ofMany.length).toBeGreaterThanOrEqual(20)
      expect(ofMany.length).toBeLessThan(256 / 4)
    },
    60_000,
  )
})

describe.skipIf(noStrace)('a power cut', () => {
  it.each(['inline', 'thread'])(
    traced('loses nothing that was acknowledged, written %s'),
    async (writer) => {
      const told = await check(await traceStarts('starts.ts', writer), lookWithEngine)
      expect(told.filter(({ line }) => line.startsWith('started'))).toHaveLength(56)
      expect(told.filter(({ line }) => line.startsWith('ended'))).toHaveLength(56)
      expect(told.filter(({ lasts }) => !lasts)).toEqual([])
    },
    60_000,
  )

  it.each(['normal', 'early'])(
    traced('is noticed by this test where it loses something: %s'),
    async (fault) => {
      const told = await check(await traceStarts('hasty.ts', fault), lookWithSqlite)
      expect(told).toHaveLength(5)
      expect(told.filter(({ lasts }) => !lasts).length).toBeGreaterThan(0)
    },
    60_000,
  )
})
