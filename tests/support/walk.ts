/** The walking task of `fixtures/watching/app.ts` from every kind of client, and what its watchers must have seen. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { createTRPCClient, httpBatchLink } from '@trpc/client'
import { errandLinks, type TaskEvent, type TaskHandle } from 'errand/client'
import {
  attachTask as attachRest,
  restTask,
  startTask as startRest,
  type RemoteTask,
} from 'errand/client/rest'
import { attachTask, startTask, type StartTaskOptions } from 'errand/client'
import { expect } from 'vitest'
import type app from '../fixtures/watching/app.ts'
import { generateClient, repositoryDir } from './generated.ts'

export const WALK = 'tests/fixtures/watching/app.ts'

export interface Walk {
  readonly step: number
  readonly attempt: number
}

export type WalkHandle = TaskHandle<{ steps: number; attempt: number }, Walk>
export type WalkEvent = TaskEvent<{ steps: number; attempt: number }, Walk>

interface WalkInput {
  gate: string
  everyMs?: number
}

/** One kind of client, at an address. */
export interface WalkClient {
  start(input: WalkInput, options?: StartTaskOptions): Promise<WalkHandle>
  attach(id: string): WalkHandle
}

const trpcWith =
  (links: (url: string) => Parameters<typeof createTRPCClient<typeof app.router>>[0]['links']) =>
  (url: string): WalkClient => {
    const { walk } = createTRPCClient<typeof app.router>({ links: links(url) })
    return {
      start: (input, options) => startTask(walk, input, options),
      attach: (id) => attachTask(walk, id),
    }
  }

/** tRPC with Errand's own links. */
export const overTrpc = trpcWith((url) => errandLinks({ url }))

/** tRPC without a link for subscriptions: handles poll. */
export const overPolling = trpcWith((url) => [httpBatchLink({ url: `${url}/trpc`, maxURLLength: 8000 })])

/** The generated client, generated now. */
export const generatedWalk = async (): Promise<(url: string) => WalkClient> => {
  const dir = path.join(repositoryDir('walk'), 'client')
  await generateClient(WALK, dir)
  const sdk = (await import(pathToFileURL(path.join(dir, 'index.ts')).href)) as object
  const { createClient } = (await import(pathToFileURL(path.join(dir, 'client/index.ts')).href)) as {
    createClient: (config: { baseUrl: string }) => unknown
  }
  return (baseUrl) => {
    // Generated a moment ago: its types can't be known here. The client of the quickstart is held to its own.
    const task = restTask(sdk as never, 'walk' as never, {
      client: createClient({ baseUrl }) as never,
    }) as unknown as RemoteTask<WalkInput, { steps: number; attempt: number }, Walk>
    return {
      start: (input, options) => startRest(task, input, options),
      attach: (id) => attachRest(task, id),
    }
  }
}

/** Lets the task end. */
export const openGate = (gate: string): void => writeFileSync(gate, '')

/** What a stream of events must be, whatever happened to the connection. */
export const expectOneStory = (events: readonly WalkEvent[], { polled = false } = {}): void => {
  expect(events[0]?.type).toBe('state')
  expect(events.at(-1)?.type).toBe('done')
  expect(events.filter(({ type }) => type === 'done')).toHaveLength(1)
  let last: Walk | undefined
  let mayJump = polled
  for (const event of events) {
    if (event.type === 'gap') mayJump = true
    if (event.type === 'state' && !polled) last = event.record.progress ?? last
    if (event.type !== 'progress') continue
    const { step, attempt } = event.progress
    if (last && attempt === last.attempt) {
      expect(step).toBeGreaterThan(last.step)
      if (!mayJump) expect(step).toBe(last.step + 1)
    } else if (last) {
      expect(attempt).toBeGreaterThan(last.attempt)
      if (!mayJump) expect(step).toBe(1)
    }
    last = event.progress
    mayJump = polled
  }
}
