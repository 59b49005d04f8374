/** Takes tasks until there are enough or none are left: those that are over are ended on the way. */
import type { EndingRules } from '../../lifecycle.ts'
import type { Report } from '../../store.ts'
import type { QueueListener, Taken } from '../fleet/shared-queue.ts'
import { claimed, type Claimed } from './claims.ts'
import { toJob, type JobCodec } from './job-codec.ts'
import { endingOf } from './lease.ts'
import type { Claims, Place } from './place.ts'
import { askedToken } from './tokens.ts'

export interface TakingParts {
  readonly place: Place
  readonly codec: JobCodec
  readonly report: Report
  readonly wrote: QueueListener['wrote']
}

/** What is wanted, and by which rules lost tasks go on. */
export interface Wanted {
  readonly most: number
  readonly rules: EndingRules
}

export interface TakingResult {
  readonly taken: readonly Taken[]
  readonly nextDue?: number
}

export const take = async (
  parts: TakingParts,
  procedure: string,
  { most, rules }: Wanted,
): Promise<TakingResult> => {
  const taken: Taken[] = []
  for (;;) {
    const asked = most - taken.length
    const claims = await claim(parts, procedure, asked, taken.length > 0)
    for (const each of claims.jobs) {
      const begun = await read(parts, procedure, each, rules)
      if (begun) taken.push(begun)
    }
    const { nextDue } = claims
    if (claims.jobs.length < asked) return { taken, ...(nextDue === undefined ? {} : { nextDue }) }
    if (taken.length === most) return { taken }
  }
}

/** What was taken before a failure is not lost to it. */
const claim = async (
  { place, report }: TakingParts,
  procedure: string,
  most: number,
  hasSome: boolean,
): Promise<Claims> => {
  try {
    return await place.take(procedure, most)
  } catch (error) {
    if (!hasSome) throw error
    report('Fewer tasks than wanted could be taken from the queue', error)
    return { jobs: [] }
  }
}

/** Never rejects: whatever can't be read or ended is taken again when its lease is over. */
const read = async (
  parts: TakingParts,
  procedure: string,
  { raw, token }: Claims['jobs'][number],
  rules: EndingRules,
): Promise<Taken | undefined> => {
  const { place, report, wrote } = parts
  try {
    const job = toJob(procedure, raw)
    if (!job) return void (await place.complete({ procedure, id: raw.id }, token, NOT_OURS))
    const result = claimed(job, token, rules)
    if (result.kind === 'over') {
      await end(parts, result, rules)
      return undefined
    }
    const { recovery, taken } = result
    if (recovery) wrote(recovery.before, recovery.after)
    return taken
  } catch (error) {
    report(`Task ${raw.id} (${procedure}) was taken and could not be begun`, error)
    return undefined
  }
}

type Over = Extract<Claimed, { kind: 'over' }>

/** One that was asked to stop since it was taken was cancelled, whatever else it would have ended as. */
const end = async (parts: TakingParts, over: Over, rules: EndingRules): Promise<void> => {
  if (await write(parts, over)) return
  const { procedure, id } = over.lease.job
  const [raw] = await parts.place.read([{ procedure, id }])
  const job = raw && toJob(procedure, raw)
  if (!job?.data.cancel) return
  const asked = claimed(job, askedToken(over.lease.token), rules)
  if (asked.kind === 'over') await write(parts, asked)
}

const write = async ({ place, codec, wrote }: TakingParts, over: Over): Promise<boolean> => {
  const { lease, before, task, revision } = over
  const ending = codec.ending(endingOf(lease, task, revision))
  const isDone = await place.complete(lease.job, lease.token, ending)
  if (isDone) wrote(before, task)
  return isDone
}

/** Written as the result of a job that somebody else put into our queue. */
const NOT_OURS = { errand: 'This job is none of a task: start tasks with Errand' }
