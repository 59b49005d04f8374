/**
 * Renews leases, with one call for each procedure; a second one for those that are held by another token since their tasks
 * were asked to stop. So each renewal tells of such a request, should its event have been missed.
 */
import type { Renewal } from '../fleet/shared-queue.ts'
import type { Lease } from './lease.ts'
import type { JobRef, Place } from './place.ts'
import { tokensOf } from './tokens.ts'

/** A task that runs here. */
interface Held {
  readonly task: JobRef
  readonly lease: Lease
}

/** In the order of what was given. */
export const renew = async (place: Place, all: readonly Held[]): Promise<readonly Renewal[]> => {
  const refused = await lostOf(place, all, 0)
  const lost = await lostOf(place, refused, 1)
  for (const { lease } of refused.filter((held) => !lost.includes(held))) lease.isAsked = !lease.isAsked
  const gone = new Set(lost)
  return all.map((held) => (gone.has(held) ? 'lost' : held.lease.isAsked ? 'stop' : 'held'))
}

/** Those that are not held by this one of their tokens. */
const lostOf = async (place: Place, all: readonly Held[], which: 0 | 1): Promise<readonly Held[]> => {
  const byProcedure = Map.groupBy(all, ({ task }) => task.procedure)
  const rounds = [...byProcedure].map(async ([procedure, held]) => {
    const claims = held.map(({ task, lease }) => ({ id: task.id, token: tokensOf(lease)[which] }))
    const lost = await place.renew(procedure, claims)
    return held.filter(({ task }) => lost.has(task.id))
  })
  return (await Promise.all(rounds)).flat()
}
