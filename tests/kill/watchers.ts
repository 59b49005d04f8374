/** Callers who watch what they start to its end, however often the watch breaks off. Whom they call must live on. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isOver, start, watch, type Lane } from './load.ts'
import type { Heard } from './testimony.ts'

const WATCHERS = 8

/** Milliseconds between two tries: a browser waits longer. */
const TRIES_EVERY = 100

const tryTo = async <T>(act: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await act()
  } catch (error) {
    if (!isOver(error)) throw error
    return undefined
  }
}

const watchToTheEnd = async (lane: Lane, heard: Heard, tooLate: AbortSignal): Promise<void> => {
  while (!(await tryTo(() => watch(lane, heard)))) {
    if (tooLate.aborted) return lane.told.fault(`${heard.id} was not watched to its end`)
    await sleep(TRIES_EVERY)
  }
  lane.told.watchedToTheEnd += 1
}

const runWatcher = async (lane: Lane, over: AbortSignal, tooLate: AbortSignal): Promise<void> => {
  for (; !over.aborted; await sleep(TRIES_EVERY)) {
    const heard = await tryTo(() => start(lane))
    if (heard) await watchToTheEnd(lane, heard, tooLate)
  }
}

/** All of them. `over` is when they start nothing more, `tooLate` when they should have seen the end of all. */
export const runWatchers = async (lane: Lane, over: AbortSignal, tooLate: AbortSignal): Promise<void> => {
  await Promise.all(Array.from({ length: WATCHERS }, () => runWatcher(lane, over, tooLate)))
}
