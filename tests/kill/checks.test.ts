/** Each check of the kill suite finds what it is for, and nothing in what is well. */
import { expect, test } from 'vitest'
import type { TaskRecord } from 'errand'
import { CHECKS, judge } from './checks.ts'
import type { Evidence } from './evidence.ts'
import type { Note } from './notes.ts'
import { recoveries } from './recovery.ts'
import { Testimony, type Heard } from './testimony.ts'

const at = (ms: number): string => new Date(1_700_000_000_000 + ms).toISOString()
const attempt = (n: number, ms: number) => ({ n, startedAt: at(ms), finishedAt: at(ms + 5) })

const record = (id: string, changes: Partial<TaskRecord> = {}): TaskRecord => ({
  id,
  procedure: 'threads.quick',
  status: 'succeeded',
  attempt: 2,
  maxAttempts: 4,
  attempts: [attempt(1, 10), attempt(2, 20)],
  createdAt: at(0),
  startedAt: at(10),
  finishedAt: at(25),
  result: { attempt: 2 },
  rev: '5',
  links: { self: '', events: '', cancel: '' },
  ...changes,
})

const note = (what: Note['what'], id: string, n: number, ms: number): Note => ({
  what,
  id,
  attempt: n,
  at: Date.parse(at(ms)),
  pid: 1,
})

const ran = (id: string): Note[] => [
  note('begin', id, 1, 11),
  note('begin', id, 2, 21),
  note('end', id, 2, 24),
]

interface Made {
  readonly records?: readonly TaskRecord[]
  readonly notes?: readonly Note[]
  readonly heard?: (heard: Heard, told: Testimony) => void
  readonly changes?: Partial<Evidence>
}

/** Of one task that callers were told of, two attempts and a success. */
const evidence = ({
  records = [record('a')],
  notes = ran('a'),
  heard,
  changes = {},
}: Made = {}): Evidence => {
  const told = new Testimony()
  const one = told.accepted(record('a'))
  told.saw(record('a'))
  heard?.(one, told)
  const byId = new Map(records.map((each) => [each.id, each]))
  const lives = [
    { pid: 1, startedAt: Date.parse(at(0)), readyAt: Date.parse(at(5)), endedAt: Date.parse(at(15)) },
    { pid: 2, startedAt: Date.parse(at(16)), readyAt: Date.parse(at(18)), endedAt: Date.parse(at(90)) },
  ]
  const rest = { reread: byId, listedTwice: [], lives, logs: [], hadOutages: false, recoversWithin: 1000 }
  return { told, records: byId, notes, recoveries: recoveries({ lives, notes }), ...rest, ...changes }
}

const cancelled = record('a', { status: 'cancelled', attempt: 0, attempts: [], rev: '2' })
const failed = record('a', { status: 'failed', rev: '4', finishedAt: at(22) })

const FAULTS: Readonly<Record<string, Made>> = {
  'callers got no answer that nobody should get': {
    heard: (_, told) => told.saw(record('a', { result: { attempt: 7 } })),
  },
  'every task that was accepted is there': { records: [] },
  'every task has ended': { records: [record('a', { status: 'running' })] },
  'what was seen as ended stays as it was, unless it was retried': {
    heard: ({ endings }) => {
      endings.clear()
      endings.set('other', failed)
    },
  },
  'a retry that was told took place': {
    heard: (heard) => Object.assign(heard, { retriesSent: 1, endedBeforeRetry: record('a') }),
  },
  'a task that was cancelled before it ran never ran': {
    records: [cancelled],
    heard: (heard, told) => {
      heard.endings.clear()
      told.saw(cancelled)
      heard.cancelledUnrun = cancelled
    },
  },
  'a running task that was cancelled is not run again': {
    heard: (heard) => (heard.cancelTold = record('a', { status: 'running', attempt: 1 })),
  },
  'no task has more attempts than it may': { records: [record('a', { maxAttempts: 1 })] },
  'attempts rise one by one, and end': {
    records: [record('a', { attempts: [attempt(2, 20), attempt(2, 20)] })],
  },
  'no attempt ran twice': { notes: [...ran('a'), note('begin', 'a', 2, 22)] },
  'no attempt ran that is not in the record': { notes: [...ran('a'), note('begin', 'a', 3, 24)] },
  'no handler began after the end': { notes: [...ran('a').slice(0, 1), note('begin', 'a', 2, 26)] },
  'a success is that of the last attempt, which ran to its end': {
    records: [record('a', { result: { attempt: 1 } })],
  },
  'a result comes with a success, and with nothing else': { records: [record('a', { status: 'failed' })] },
  'one key stands for one task': {
    heard: (_, told) => ['a', 'b'].forEach((id) => told.keyed('/threads/quick key-1', id)),
  },
  'nothing was started twice': {
    records: ['a', 'b', 'c'].map((id) => record(id, { tags: id === 'a' ? [] : ['child-of-a'] })),
    notes: ['a', 'b', 'c'].flatMap(ran),
  },
  'a list names each task once': { changes: { listedTwice: ['a'] } },
  'one more restart changes nothing': { changes: { reread: new Map() } },
  'hosts reported nothing but what was done to them': {
    changes: { logs: [`The record of task a can't be read. It was set aside`] },
  },
  'what was interrupted ran again in time': { changes: { recoversWithin: 2 } },
}

test('no check is without a fault to find', () => {
  expect(Object.keys(FAULTS)).toEqual(Object.keys(CHECKS))
})

test('what is well passes all', () => {
  expect([...judge(evidence())]).toEqual([])
})

test.each(Object.entries(FAULTS))('%s', (check, made) => {
  expect([...judge(evidence(made)).keys()]).toContain(check)
})
