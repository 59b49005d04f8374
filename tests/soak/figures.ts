/** What a process is made of at one moment, garbage apart. */
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** One look. */
export interface Figures {
  /** Bytes. */
  readonly rss: number
  /** Bytes that are in use, of objects and of buffers. */
  readonly heap: number
  /** Things of Node that are open, by kind. */
  readonly open: Readonly<Record<string, number>>
  /** Events of tasks since the start, by name. */
  readonly told: Readonly<Record<string, number>>
}

// What `node --expose-gc` gives, for the thread that asks.
const collector = (): (() => void) => {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

let collect: (() => void) | undefined

/** What has gone is let go of in turns: of a buffer, when its owner was collected. */
const ROUNDS = 4

const collectAll = async (): Promise<void> => {
  collect ??= collector()
  for (let round = 0; round < ROUNDS; round++) {
    collect()
    await sleep(20)
  }
}

/** Bytes in use of the thread that asks, garbage apart. */
export const heapNow = async (): Promise<number> => {
  await collectAll()
  return process.memoryUsage().heapUsed
}

/** Collects garbage, then looks. */
export const figuresNow = async (told: Readonly<Record<string, number>>): Promise<Figures> => {
  await collectAll()
  const { rss, heapUsed, external } = process.memoryUsage()
  const open: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) open[kind] = (open[kind] ?? 0) + 1
  return { rss, heap: heapUsed + external, open, told: { ...told } }
}
