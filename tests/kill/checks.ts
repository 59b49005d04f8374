/** What must hold after any number of kills. Each check gives its faults in words; none is a pass. */
import type { TaskRecord } from 'errand'
import { byTask, type Evidence } from './evidence.ts'
import type { Note } from './notes.ts'
import { endingOf, isEnded, type Heard } from './testimony.ts'

type Check = (evidence: Evidence) => string[]

/** Of each task that callers were told of and that there is a record of: whether they agree is the question. */
const ofHeard =
  (judge: (heard: Heard, record: TaskRecord, notes: readonly Note[]) => string | false | undefined): Check =>
  ({ told, records, notes }) => {
    const noted = byTask(notes)
    return [...told.tasks.values()].flatMap((heard) => {
      const record = records.get(heard.id)
      const fault = record && judge(heard, record, noted.get(heard.id) ?? [])
      return fault ? [`${heard.id} (${record.procedure}): ${fault}`] : []
    })
  }

const ofRecords =
  (judge: (record: TaskRecord, notes: readonly Note[]) => string | false | undefined): Check =>
  ({ records, notes }) => {
    const noted = byTask(notes)
    return [...records.values()].flatMap((record) => {
      const fault = judge(record, noted.get(record.id) ?? [])
      return fault ? [`${record.id} (${record.procedure}): ${fault}`] : []
    })
  }

const duplicates = <T>(values: readonly T[]): T[] =>
  values.filter((value, index) => values.indexOf(value) !== index)

const begins = (notes: readonly Note[]): Note[] => notes.filter(({ what }) => what === 'begin')

/** Records by a tag of theirs. */
const tagged = ({ records }: Evidence, prefix: string): Map<string, TaskRecord[]> =>
  Map.groupBy(
    [...records.values()].filter(({ tags }) => tags?.some((tag) => tag.startsWith(prefix))),
    ({ tags, procedure }) => `${procedure} ${tags?.join()}`,
  )

/** What an engine may say of a night like this. */
const EXPECTED_LOG = [
  / failed \(task .*: (bad at|WorkerLost)/,
  /a worker died: it (exited with code 1|was ended by SIGKILL)/,
  /closing, after what is under way/,
  /ECONNRESET|EPIPE/,
]

/** And of one in which its server went away. */
const EXPECTED_IN_OUTAGES = [
  /the line for events is down|nothing is heard|failed while|can't be reached|is tried again|could not be|could be taken|can be claimed|can not be asked|is no longer this process's|isn't well|is well again/,
]

const unexpectedLogs: Check = ({ logs, hadOutages }) => {
  const expected = hadOutages ? [...EXPECTED_LOG, ...EXPECTED_IN_OUTAGES] : EXPECTED_LOG
  return logs.filter((line) => line.trim() !== '' && !expected.some((each) => each.test(line)))
}

const startedTwice: Check = (evidence) =>
  [...tagged(evidence, 'child-of-'), ...tagged(evidence, 'key-')]
    .filter(([, tasks]) => tasks.length > 1)
    .map(([what, tasks]) => `${what} has ${tasks.map(({ id }) => id).join(', ')}`)

/** By what they promise. */
export const CHECKS: Readonly<Record<string, Check>> = {
  'callers got no answer that nobody should get': ({ told }) => [...told.faults],

  'every task that was accepted is there': ({ told, records }) =>
    [...told.tasks.keys()].filter((id) => !records.has(id)).map((id) => `${id} is gone`),

  'every task has ended': ofRecords((record) => !isEnded(record) && `it is ${record.status}`),

  'what was seen as ended stays as it was, unless it was retried': ofHeard(
    ({ endings, retriesSent }, record) => {
      if (endings.size > 1 + retriesSent) return `${endings.size} endings after ${retriesSent} retries`
      const seen = endings.get(endingOf(record))
      if (seen) return JSON.stringify(seen) !== JSON.stringify(record) && JSON.stringify([seen, record])
      return (
        endings.size > retriesSent && `ended otherwise: ${JSON.stringify([[...endings.values()], record])}`
      )
    },
  ),

  'a retry that was told took place': ofHeard(
    ({ endedBeforeRetry }, record) =>
      endedBeforeRetry && endingOf(endedBeforeRetry) === endingOf(record) && 'it is as it was before',
  ),

  'a task that was cancelled before it ran never ran': ofHeard(
    ({ cancelledUnrun }, record, notes) =>
      cancelledUnrun &&
      endingOf(cancelledUnrun) === endingOf(record) &&
      notes.length > 0 &&
      `it ran ${begins(notes).length} times`,
  ),

  'a running task that was cancelled is not run again': ofHeard(({ cancelTold, retriesSent }, record) => {
    if (!cancelTold || retriesSent > 0) return undefined
    if (record.status === 'failed') return `it failed: ${JSON.stringify(record.error)}`
    return record.attempt > cancelTold.attempt && `attempt ${record.attempt} after ${cancelTold.attempt}`
  }),

  'no task has more attempts than it may': ofRecords(
    ({ attempt, maxAttempts }) => attempt > maxAttempts && `${attempt} of ${maxAttempts}`,
  ),

  'attempts rise one by one, and end': ofRecords(({ attempt, attempts }) => {
    const numbers = attempts.map(({ n }) => n)
    const expected = Array.from({ length: attempt }, (_, index) => index + 1)
    if (numbers.join() !== expected.join()) return `attempts ${numbers.join()} of ${attempt}`
    return attempts.some(({ finishedAt }) => finishedAt === undefined) && 'an attempt has no end'
  }),

  'no attempt ran twice': ofRecords((_, notes) => {
    const twice = duplicates(begins(notes).map(({ attempt }) => attempt))
    return twice.length > 0 && `attempt ${twice.join()} began more than once`
  }),

  'no attempt ran that is not in the record': ofRecords((record, notes) => {
    const unknown = notes.find(({ attempt }) => attempt > record.attempt)
    return unknown && `attempt ${unknown.attempt} of ${record.attempt}`
  }),

  'no handler began after the end': ofRecords((record, notes) => {
    const late = begins(notes).find(({ at }) => at > Date.parse(record.finishedAt ?? ''))
    return (
      late &&
      `attempt ${late.attempt} began at ${new Date(late.at).toISOString()}, ended ${record.finishedAt}`
    )
  }),

  'a success is that of the last attempt, which ran to its end': ofRecords((record, notes) => {
    if (record.status !== 'succeeded') return undefined
    const ran = notes.filter(({ attempt }) => attempt === record.attempt).map(({ what }) => what)
    if (ran.join() !== 'begin,end') return `attempt ${record.attempt} noted ${ran.join() || 'nothing'}`
    const { attempt } = record.result as { attempt: number }
    return attempt !== record.attempt && `attempt ${record.attempt} has the result of ${attempt}`
  }),

  'a result comes with a success, and with nothing else': ofRecords(
    ({ status, error, result }) =>
      (status === 'succeeded') !== (result !== undefined && !error) && 'mixed up',
  ),

  'one key stands for one task': ({ told }) =>
    [...told.keys].filter(([, ids]) => ids.size > 1).map(([key, ids]) => `${key}: ${[...ids].join(', ')}`),

  'nothing was started twice': startedTwice,

  'a list names each task once': ({ listedTwice }) => [...listedTwice],

  'one more restart changes nothing': ({ records, reread }) =>
    [...records]
      .filter(([id, record]) => JSON.stringify(reread.get(id)) !== JSON.stringify(record))
      .map(([id, record]) => JSON.stringify([record, reread.get(id)])),

  'hosts reported nothing but what was done to them': unexpectedLogs,

  // From when a host serves again: how long Node takes to start is the machine's affair.
  'what was interrupted ran again in time': (evidence) =>
    evidence.recoveries
      .map(({ ready, rerun = 0 }) => rerun - ready)
      .filter((ms) => ms > evidence.recoversWithin)
      .map((ms) => `${ms} ms after a host served again, at most ${evidence.recoversWithin}`),
}

/** The checks that failed, with their faults. */
export const judge = (evidence: Evidence): Map<string, string[]> => {
  const verdict = Object.entries(CHECKS).map(([name, check]) => [name, check(evidence)] as const)
  return new Map(verdict.filter(([, faults]) => faults.length > 0))
}
