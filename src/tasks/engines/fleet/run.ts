/** One attempt that runs on this host. */
import type { Alarm } from '../alarms.ts'
import type { ActiveClaim } from '../claim.ts'
import type { Slot } from '../slots.ts'
import type { StoredTask } from '../../stored-task.ts'
import type { Taken } from './shared-queue.ts'

/** What this host knows of it. */
export interface Run {
  readonly taken: Taken
  readonly claim: ActiveClaim
  readonly slot: Slot
  /** As taken, with what was learned since: progress, a request to stop. */
  task: StoredTask
  /** On this process's clock (`performance.now`): until then no other host has it. */
  heldUntil: number
  /** Another host may have it: whatever comes of it changes nothing. */
  isLost: boolean
  /** Its outcome is known, and may be in the record by now. */
  isEnding: boolean
  /** Its deadline. */
  alarm: Alarm<Run> | undefined
}
