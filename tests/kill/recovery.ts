/** How long it took until what a kill interrupted ran again, from what the handlers noted. */
import { byTask, type Evidence, type Life } from './evidence.ts'
import type { Note } from './notes.ts'

/** One restart after a host had died. Milliseconds from its start. */
export interface Recovery {
  /** Until it served. */
  readonly ready: number
  /** Until the last of what was interrupted ran again; undefined when nothing was that ran again in this life. */
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
