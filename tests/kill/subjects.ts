/** What is killed, as data: one entry an engine. A new engine is one more entry. */
import { basename } from 'node:path'
import { local } from 'errand'
import { bullmq } from 'errand/bullmq'
import { pgmq } from 'errand/pgmq'
import type { TasksOption } from '../../src/tasks/engines/options.ts'
import type { Killing } from './kills.ts'

/** An engine, and what may happen to its hosts. */
export interface Subject {
  /** The module that serves: a process of it is a host. */
  readonly main: URL
  /** Where tasks live; asked in the host. `dir` is empty at first and outlives every host. */
  readonly tasks: (dir: string) => TasksOption
  /** How many may live at once. */
  readonly hosts: 'one' | 'many'
  /** How often each way to die is chosen, against the others. */
  readonly killings: Readonly<Partial<Record<Killing, number>>>
  /** Milliseconds from when a host serves again until all that was interrupted runs again: the engine's promise. */
  readonly recoversWithin: number
}

const host = new URL('host.ts', import.meta.url)

/** The server of an engine, or of a store, that has one: whoever runs the suite starts it, for nobody else. */
export const CONNECTION_VARIABLE = 'KILL_CONNECTION'

const connection = (): string => process.env[CONNECTION_VARIABLE] ?? 'redis://127.0.0.1:6379'

/** For a run beside other tests, in ms: the long run alone holds a subject to its promise of recovery. */
export const ON_A_BUSY_MACHINE = 90_000

/** Few may wait, so that a slow machine has no more to do in the end than a quick one. */
const workers = { threads: 2, processes: 2, drainGrace: 300, queueLimit: 100 } as const

const ALL_KILLINGS = {
  'under load': 10,
  'while it starts': 4,
  'while it drains': 4,
  'again and again': 2,
  'one worker, then the host': 3,
  'by SIGTERM alone': 2,
} as const

export const SUBJECTS = {
  local: {
    main: host,
    hosts: 'one',
    tasks: (dir) => local({ dir, ...workers }),
    killings: ALL_KILLINGS,
    recoversWithin: 15_000,
  },
  redis: {
    main: host,
    hosts: 'one',
    tasks: () => local({ store: connection() as `redis://${string}`, ...workers }),
    killings: ALL_KILLINGS,
    recoversWithin: 15_000,
  },
  bullmq: {
    main: host,
    hosts: 'many',
    // Hosts of one run share its queues, and no others.
    tasks: (dir) => bullmq({ connection: connection(), name: basename(dir), ...workers }),
    killings: ALL_KILLINGS,
    recoversWithin: 15_000,
  },
  pgmq: {
    main: host,
    hosts: 'many',
    tasks: () => pgmq({ connection: connection(), ...workers }),
    killings: ALL_KILLINGS,
    recoversWithin: 15_000,
  },
} as const satisfies Record<string, Subject>

export type SubjectName = keyof typeof SUBJECTS

/** What a host is told by its environment. */
export const toEnvironment = (name: SubjectName, dir: string): Record<string, string> => ({
  KILL_SUBJECT: name,
  KILL_DIR: dir,
})

/** In a host and its workers: where tasks live. */
export const tasksOption = (): TasksOption =>
  SUBJECTS[process.env['KILL_SUBJECT'] as SubjectName].tasks(process.env['KILL_DIR'] as string)
