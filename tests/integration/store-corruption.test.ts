/**
 * Files of a store are damaged at random places: the engine either opens and tells of what is missing, or refuses
 * and says what to do. It never starts empty or short in silence, and never gives out a record that nobody wrote.
 */
import { hash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { local } from '../../src/tasks/engines/local.ts'
import { recovered } from '../../src/tasks/lifecycle.ts'
import type { StoredTask } from '../../src/tasks/stored-task.ts'
import { damages, strike } from '../support/damage/damages.ts'
import { FILES, host, makeSamples, SCRATCH, type Files, type Sample } from '../support/damage/sample-store.ts'

const VARIANTS = Number(process.env['DAMAGE_VARIANTS'] ?? 1000)

const CURES = /[Rr]estore a backup|Put it back|remove it/

let samples: readonly Sample[]
let dir: string
beforeAll(async () => {
  samples = await makeSamples()
  // What a start makes of a running task has the time in it.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  dir = mkdtempSync(join(SCRATCH, 'errand-damage-'))
})
afterAll(() => {
  vi.useRealTimers()
  rmSync(dir, { recursive: true })
})

const writeFiles = (files: Files, into = dir): void => {
  for (const file of readdirSync(into)) rmSync(join(into, file))
  for (const file of FILES) if (files[file]) writeFileSync(join(into, file), files[file])
}

/** The samples have other ids each time, so that the seed alone does not bring a failure back. */
const keep = (files: Files): string => {
  const kept = join(tmpdir(), 'errand-damage-that-failed')
  mkdirSync(kept, { recursive: true })
  writeFiles(files, kept)
  return kept
}

/** What is in the files of which an opener that refuses must change none. Without a log it makes an empty one. */
const fingerprints = (): readonly string[] =>
  ['tasks.db', 'tasks.db-wal', 'tasks.db-mark'].map((name) => {
    const file = join(dir, name)
    return `${name} ${existsSync(file) ? hash('sha1', readFileSync(file)) : EMPTY}`
  })

const EMPTY = hash('sha1', '')

type Opened =
  | { readonly refusal: string }
  /** Each task as JSON. */
  | { readonly reports: readonly string[]; readonly tasks: ReadonlyMap<string, string> }

const REASON = 'The process ended while the attempt ran'

/** Opens what is there with an engine that runs nothing, and reads every task. */
const openAndRead = async (onDamage: 'refuse' | 'salvage' = 'refuse'): Promise<Opened> => {
  const reports: string[] = []
  const engine = await local({ dir, writer: 'inline', onDamage }).create()
  try {
    await engine.open({ ...host, report: (message) => reports.push(message) })
  } catch (error) {
    return { refusal: (error as Error).message }
  }
  const tasks = new Map<string, string>()
  let cursor: string | undefined
  do {
    const page = await engine.list({ limit: 200, ...(cursor === undefined ? {} : { cursor }) })
    for (const task of page.items) tasks.set(task.id, JSON.stringify(task))
    cursor = page.nextCursor
  } while (cursor !== undefined)
  await engine.close()
  return { reports, tasks }
}

/** A restart raises the revision of what it recovers by so much that no rev comes twice. */
const RESTART = 2 ** 32

const afterRestart = (task: StoredTask): StoredTask => {
  const next = recovered(task, { now: Date.now(), rules: host.policy('')!, reason: REASON })
  return { ...next, revision: next.revision + RESTART }
}

/** A record as an engine shows it that has just opened. */
const asShown = (task: StoredTask): string =>
  JSON.stringify(task.status === 'running' ? afterRestart(task) : task)

/** What tasks there are otherwise than they were written last: none is to be. */
const changedIn = (tasks: ReadonlyMap<string, string>, { written }: Sample): readonly string[] => [
  ...[...written].filter(([id, all]) => tasks.get(id) !== asShown(all.at(-1)!)).map(([id]) => id),
  ...[...tasks.keys()].filter((id) => !written.has(id)),
]

/** What tasks there are as nobody ever wrote them: none is to be. */
const inventedIn = (tasks: ReadonlyMap<string, string>, { written }: Sample): readonly string[] =>
  [...tasks].filter(([id, task]) => !written.get(id)?.some((one) => asShown(one) === task)).map(([id]) => id)

describe('a damaged store', () => {
  it('has tasks of every status, and opens whole when it is not damaged', async () => {
    for (const sample of samples) {
      writeFiles(sample.files)
      const opened = await openAndRead()
      expect(opened).toMatchObject({ reports: [] })
      if ('tasks' in opened) expect(changedIn(opened.tasks, sample)).toEqual([])
    }
    const statuses = new Set([...samples[2]!.written.values()].map((all) => all.at(-1)!.status))
    expect([...statuses].sort()).toEqual(['cancelled', 'failed', 'queued', 'running', 'succeeded'])
  })

  it(`opens with a report or refuses with a cure, in ${VARIANTS} variants`, async () => {
    const ends = { whole: 0, reported: 0, refused: 0, salvaged: 0, lost: 0 }

    const checkSalvage = async (sample: Sample): Promise<void> => {
      const salvaged = await openAndRead('salvage')
      if ('refusal' in salvaged) {
        expect(salvaged.refusal).toContain(join(dir, 'tasks.db'))
        ends.lost += 1
      } else {
        expect(salvaged.reports.join()).toContain('were kept as')
        expect(inventedIn(salvaged.tasks, sample)).toEqual([])
        ends.salvaged += 1
      }
    }

    const check = async (sample: Sample): Promise<void> => {
      const before = fingerprints()
      const opened = await openAndRead()
      if ('refusal' in opened) {
        expect(opened.refusal).toContain(join(dir, 'tasks.db'))
        expect(opened.refusal).toMatch(CURES)
        expect(fingerprints()).toEqual(before)
        ends.refused += 1
        await checkSalvage(sample)
      } else if (opened.reports.length > 0) {
        expect(inventedIn(opened.tasks, sample)).toEqual([])
        ends.reported += 1
      } else {
        expect(changedIn(opened.tasks, sample)).toEqual([])
        ends.whole += 1
      }
    }

    await fc.assert(
      fc.asyncProperty(fc.constantFrom(0, 1, 2, 2), damages, async (index, blows) => {
        const sample = samples[index]!
        const files = strike(sample.files, blows)
        writeFiles(files)
        await check(sample).catch((cause: unknown) => {
          throw new Error(`The damaged files are in ${keep(files)}`, { cause })
        })
      }),
      { numRuns: VARIANTS },
    )
    console.log(`${VARIANTS} damaged stores: ${JSON.stringify(ends)}`)
  }, 300_000)
})
