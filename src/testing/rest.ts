/** Whether tasks are at rest, and which ones keep a test waiting. */
import { toMilliseconds, type Duration } from '../protocol/duration.ts'
import type { TaskStatus } from '../protocol/task.ts'
import type { StoredTask } from '../tasks/stored-task.ts'
import type { Pulse } from './pulse.ts'
import { realNow } from './real-time.ts'
import type { TestClock } from './test-clock.ts'
import type { TestEngine } from './test-engine.ts'

/** How long to wait. */
export interface DrainOptions {
  /** In real time. Default `'4s'`. */
  readonly timeout?: Duration
}

/** What is looked at. */
export interface RestParts {
  readonly engine: TestEngine
  readonly clock: TestClock
  readonly pulse: Pulse
  /** Whether an attempt waits for nothing but the clock. */
  readonly isWaiting: (taskId: string) => boolean
}

const LONGEST_PAGE = 200

const all = async (engine: TestEngine, status: TaskStatus): Promise<StoredTask[]> => {
  const found: StoredTask[] = []
  let cursor: string | undefined
  do {
    const page = await engine.list({
      status,
      limit: LONGEST_PAGE,
      ...(cursor === undefined ? {} : { cursor }),
    })
    found.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return found
}

/** Tasks that run or could, now. */
const restless = async ({ engine, clock, isWaiting }: RestParts): Promise<StoredTask[]> => {
  const [queued, running] = await Promise.all([all(engine, 'queued'), all(engine, 'running')])
  return [
    ...running.filter(({ id }) => !isWaiting(id)),
    ...queued.filter(({ runAt = 0 }) => runAt <= clock.now()),
  ]
}

const inWords = ({ id, procedure, status, attempt, input }: StoredTask): string =>
  `  - ${procedure} ${id} is ${status}, attempt ${attempt}, input ${JSON.stringify(input)}`

const unsettled = (tasks: readonly StoredTask[], ms: number): Error =>
  new Error(
    `drain(): ${tasks.length} ${tasks.length === 1 ? 'task has' : 'tasks have'} not come to rest within ${ms} ms:\n` +
      `${tasks.slice(0, 10).map(inWords).join('\n')}\n` +
      'Expected: every handler ends by itself. One that waits for the test, or for time to pass, does not: let it go on, ' +
      'advance the clock, or cancel the task first.',
  )

/** Resolves when no task runs, nor waits for anything but a later time. */
export const drain = async (parts: RestParts, { timeout = '4s' }: DrainOptions = {}): Promise<void> => {
  const ms = toMilliseconds(timeout)
  for (const giveUpAt = realNow() + ms; ;) {
    await parts.pulse.arrived()
    const left = await restless(parts)
    if (left.length === 0) return
    if (realNow() > giveUpAt) throw unsettled(left, ms)
  }
}
