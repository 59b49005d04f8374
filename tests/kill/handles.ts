/** Callers who follow what they start by handles of `errand/client`, which have to hide that the server was away. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createTRPCClient } from '@trpc/client'
import type { TaskRecord } from 'errand'
import { errandLinks, startTask } from 'errand/client'
import type app from './app.ts'
import type { Testimony } from './testimony.ts'

/** Whom they call, and what they were told. */
export interface Handles {
  /** Of a host that lives on. */
  readonly url: string
  readonly told: Testimony
  /** When they start nothing more. */
  readonly over: AbortSignal
  /** When they should have seen the end of all. */
  readonly tooLate: AbortSignal
}

const HANDLES = 2
const EVERY = 100
const INPUT = { ms: 400 }

type Events = AsyncIterable<{ readonly type: string; readonly record?: unknown }>

/** The record of the last event, which has to be `done`. */
const lastOf = async (events: Events): Promise<TaskRecord> => {
  let last: unknown
  for await (const event of events) last = event.type === 'done' ? event.record : undefined
  if (last === undefined) throw new Error('its events ended before it was done')
  return last as TaskRecord
}

/** A start may be refused in an outage; what was started has to be followed. */
const follow = async ({ url, told, tooLate }: Handles): Promise<void> => {
  const trpc = createTRPCClient<typeof app.router>({ links: errandLinks({ url }) })
  const task = await startTask(trpc.threads.slow, INPUT).catch(() => undefined)
  if (!task) return
  told.accepted({ id: task.id, procedure: 'threads.slow' })
  try {
    told.saw(await lastOf(task.events({ signal: tooLate })))
    told.handledToTheEnd += 1
  } catch (error) {
    told.fault(`a handle of ${task.id} gave up: ${String(error)}`)
  }
}

const runHandle = async (handles: Handles): Promise<void> => {
  for (; !handles.over.aborted; await sleep(EVERY)) await follow(handles)
}

/** All of them. */
export const runHandles = async (handles: Handles): Promise<void> => {
  await Promise.all(Array.from({ length: HANDLES }, () => runHandle(handles)))
}
