/** Takes tasks until there are enough or none are left: those that are over are ended on the way. */
import type { EndingRules } from '../../lifecycle.ts'
import type { Report } from '../../store.ts'
import type { QueueListener, Taken } from '../fleet/shared-queue.ts'
import { claimed, type Claimed } from './claims.ts'
import { toJob, type JobCodec } from './job-codec.ts'
import { endingOf } from './lease.ts'
import type { Claims, Place } from './place.ts'

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
  { place, codec, report, wrote }: TakingParts,
  procedure: string,
  { raw, token }: Claims['jobs'][number],
  rules: EndingRules,
): Promise<Taken | undefined> => {
  const ref = { procedure, id: raw.id }
  try {
    const job = toJob(procedure, raw)
    if (!job) return void (await place.complete(ref, token, NOT_OURS))
    const result: Claimed = claimed(job, token, rules)
    if (result.kind === 'begun') {
      const { recovery, taken } = result
      if (recovery) wrote(recovery.before, recovery.after)
      return taken
    }
    const ending = endingOf(result.lease, result.task, result.revision)
    const isDone = await place.complete(ref, token, codec.ending(ending))
    if (isDone) wrote(result.before, result.task)
    return undefined
  } catch (error) {
    report(`Task ${raw.id} (${procedure}) was taken and could not be begun`, error)
    return undefined
  }
}

/** Written as the result of a job that somebody else put into our queue. */
const NOT_OURS = { errand: 'This job is none of a task: start tasks with Errand' }
