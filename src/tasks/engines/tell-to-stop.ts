/** Tells what runs that its process stops: such an attempt is given back if it doesn't end. */
import { stopReason } from './claim.ts'
import type { Entry } from './entry.ts'

/** How long after its grace a drain waits for attempts that were told to stop. */
const LONGEST_LINGER = 2000

/** Waits for nobody: says how long to wait for those who were told, in ms. */
export const tellToStop = (entries: readonly Entry[]): number => {
  let linger = 0
  for (const { live } of entries) {
    if (!live?.claim) continue
    live.claim.givenBack = true
    live.claim.stop.abort(stopReason('Draining'))
    linger = Math.max(linger, live.claim.policy.cancelGrace)
  }
  return Math.min(linger, LONGEST_LINGER)
}
