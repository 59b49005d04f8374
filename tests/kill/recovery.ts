/** How long it took until what a kill interrupted ran again, from what the handlers noted. */
import { byTask, type Evidence, type Life } from './evidence.ts'
import type { Death } from './fleet.ts'
import type { Note } from './notes.ts'
import type { Testimony } from './testimony.ts'

/** What followed the death of a host. Milliseconds from the start of the next one; in a fleet, from its death. */
export interface Recovery {
  /** Until that one served; 0 in a fleet, where others live. */
  readonly ready: number
  /** Until the last of what was interrupted ran again; undefined when nothing was that ran again. */
  readonly rerun: number | undefined
}

/** Whether a task's handler was at work at a moment. */
const wasRunning = (notes: readonly Note[], at: number): boolean => {
  const last = notes.findLast((note) => note.at <= at)
  return last?.what === 'begin'
}

const rerunIn = (notes: readonly Note[], { startedAt, endedAt = Infinity }: Life): number | undefined => {
  const begun = notes.find(({ what, at }) => what === 'begin' && at > startedAt)
  return begun && begun.at < endedAt ? begun.at - startedAt : undefined
}

/** The restarts that came to serve. */
export const recoveries = ({ lives, notes }: Pick<Evidence, 'lives' | 'notes'>): Recovery[] => {
  const tasks = [...byTask(notes).values()]
  return lives.slice(1).flatMap((life, index): Recovery[] => {
    if (life.readyAt === undefined) return []
    const died = lives[index]!.endedAt ?? life.startedAt
    const reruns = tasks
      .filter((ofTask) => wasRunning(ofTask, died))
      .map((ofTask) => rerunIn(ofTask, life))
      .filter((ms) => ms !== undefined)
    return [
      { ready: life.readyAt - life.startedAt, rerun: reruns.length > 0 ? Math.max(...reruns) : undefined },
    ]
  })
}

/** Of a fleet: until the others ran what a host left. What was retried by hand meanwhile is left out. */
export const recoveriesOf = (
  deaths: readonly Death[],
  notes: readonly Note[],
  { tasks }: Pick<Testimony, 'tasks'>,
): Recovery[] => {
  const untouched = [...byTask(notes)].filter(([id]) => !tasks.get(id)?.retriesSent)
  return deaths.map(({ at, pids }) => {
    const reruns = untouched.flatMap(([, ofTask]) => {
      const last = ofTask.findLast((note) => note.at <= at)
      if (last?.what !== 'begin' || !pids.includes(last.pid)) return []
      const next = ofTask.find(({ what, attempt }) => what === 'begin' && attempt === last.attempt + 1)
      return next ? [next.at - at] : []
    })
    return { ready: 0, rerun: reruns.length > 0 ? Math.max(...reruns) : undefined }
  })
}
