/** Tasks over REST: the app with tasks of every temper, served on a store of its own, and what tests do with tasks. */
import { expect } from 'vitest'
import { local, type AppOptions } from 'errand'
import { module, procedures } from './apps/work.ts'
import type { Answer } from './http.ts'
import { serve, type Served } from './serve.ts'
import { tempDir } from './temp.ts'
import { until } from './until.ts'

/** A record, read loosely. */
export interface Task {
  readonly id: string
  readonly procedure: string
  readonly status: string
  readonly attempt: number
  readonly maxAttempts: number
  readonly attempts: readonly {
    readonly n: number
    readonly startedAt: string
    readonly finishedAt?: string
    readonly error?: { readonly code: string; readonly message: string }
  }[]
  readonly rev: string
  readonly result?: unknown
  readonly input?: unknown
  readonly runAt?: string
  readonly createdAt: string
  readonly progress?: { readonly step?: number; readonly tick?: number; readonly percent?: number }
  readonly error?: {
    readonly code: string
    readonly message: string
    readonly status: number
    readonly data?: unknown
  }
  readonly cancelRequested?: boolean
  readonly tags?: readonly string[]
  readonly links: Readonly<Record<string, string>>
}

/** The record in an answer. */
export const taskOf = (answer: Answer): Task => answer.json as Task

/** The records in a page. */
export const tasksIn = (answer: Answer): Task[] => (answer.json as { items: Task[] }).items

type Start = (path: string, input?: unknown, headers?: Record<string, string>) => Promise<Task>

/** An app with tasks, and what is often done with them. */
export interface ServedTasks extends Served {
  /** Starts one at `POST {path}/tasks`. */
  readonly start: Start
  /** The record once it has ended. */
  readonly end: (id: string) => Promise<Task>
  /** The record once it runs. */
  readonly running: (id: string) => Promise<Task>
  /** The one task of a procedure that runs, once it does. */
  readonly runningOf: (procedure: string) => Promise<Task>
}

const withTasks = (api: Served): ServedTasks => {
  const get = (id: string, query = ''): Promise<Task> => api.get(`/tasks/${id}${query}`).then(taskOf)
  return {
    ...api,
    start: async (path, input, headers = {}) => {
      const answer = await api.call(`${path}/tasks`, input, headers)
      expect(answer.status, answer.text).toBe(202)
      return taskOf(answer)
    },
    end: (id) => get(id, '?wait=20'),
    running: (id) =>
      until('the start of the task', async () => {
        const task = await get(id)
        return task.status === 'running' && task
      }),
    runningOf: (procedure) =>
      until(
        `a ${procedure} that runs`,
        async () => tasksIn(await api.get(`/tasks?procedure=${procedure}&status=running`))[0],
      ),
  }
}

/** Serves the procedures of `apps/work.ts` on threads. `tasks` are options of `local()`. */
export const serveWork = async <C extends object>(
  tasks: Parameters<typeof local>[0] = {},
  options: AppOptions<C> = {},
): Promise<ServedTasks> => {
  const dir = tasks.dir ?? (await tempDir())
  return withTasks(
    await serve(procedures, {
      module,
      tasks: local({ threads: 2, processes: 1, ...tasks, dir }),
      ...options,
    }),
  )
}
