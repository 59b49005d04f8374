/** How an attempt is run and what its end makes of the task: the same for an engine of one host and of many. */
import { errorData } from '../../protocol/errors.ts'
import type { EngineHost } from '../engine.ts'
import type { Outcome } from '../executor.ts'
import { ended, isRunningAttempt, recovered } from '../lifecycle.ts'
import type { StoredTask } from '../stored-task.ts'
import type { NotJson } from '../stores/record-codec.ts'
import type { ActiveClaim } from './claim.ts'

/** Why an attempt is lost that a drain did not wait for. */
export const DRAINED = 'The process stopped before the attempt ended'

/** Runs an attempt. Never rejects, whatever the host does. */
export const runClaim = async (host: EngineHost, claim: ActiveClaim): Promise<Outcome> => {
  try {
    return await host.run(claim)
  } catch (error) {
    host.report(`Running task ${claim.task.id} failed in a way that a host promises not to`, error)
    return { kind: 'lost', reason: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

/** The task once this attempt has ended so. The very same task for a stale attempt. */
export const afterAttempt = (
  task: StoredTask,
  claim: ActiveClaim,
  outcome: Outcome,
  now: number,
): StoredTask => {
  const isOfDrain = claim.givenBack && (outcome.kind === 'error' || outcome.kind === 'lost')
  return isOfDrain && isRunningAttempt(task, claim.attempt)
    ? recovered(task, { now, rules: claim.policy, reason: DRAINED })
    : ended(task, claim.attempt, outcome, { now, rules: claim.policy })
}

/** The outcome of an attempt whose output no store can hold. */
export const notJsonOutcome = (error: NotJson): Outcome => ({
  kind: 'error',
  error: {
    ...errorData('OUTPUT_INVALID', 'The output holds a value that JSON can not'),
    internal: { name: error.name, message: error.message },
  },
})
