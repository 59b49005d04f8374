/** What the engine asks of this process: policies, and one attempt run with its limits on time. */
import { errorData } from '../protocol/errors.ts'
import { changeName, type Happening } from './changes.ts'
import type { Clock, Timer } from './clock.ts'
import type { TaskPolicy, EngineHost, Claim } from './engine.ts'
import type { CallEvents, Executor, Outcome, OutcomeError, Running } from './executor.ts'
import type { MaybePromise } from '../procedures/handler.ts'
import type { TaskLog } from '../protocol/task.ts'
import type { StoredTask } from './stored-task.ts'
import type { TaskTracing } from './tracing.ts'

/** Parts the host joins. */
export interface HostParts {
  readonly clock: Clock
  readonly policies: ReadonlyMap<string, TaskPolicy>
  /** Made when first needed. */
  readonly executor: (runOn: TaskPolicy['runOn']) => MaybePromise<Executor>
  readonly slots: Readonly<Record<TaskPolicy['runOn'], number>>
  /** Serves what a running handler asks for. */
  readonly serve: (claim: Claim, trace: string | undefined) => CallEvents['start']
  readonly tracing: TaskTracing
  /** Told of what a handler logs. Never throws. */
  readonly logged: (task: StoredTask, log: TaskLog) => void
  /** Told of an attempt that ended in an error by itself. */
  readonly failed: (error: OutcomeError, task: StoredTask) => void
  /** Told of what happens to every task here. Never throws. */
  readonly told: (happening: Happening) => void
  readonly report: EngineHost['report']
  /** Another process has the tasks: the engine is of no use any more. */
  readonly lost: NonNullable<EngineHost['lost']>
}

const timedOut = (timeout: number): Outcome => ({
  kind: 'error',
  error: { ...errorData('TASK_TIMEOUT', `The attempt took longer than ${timeout} ms`), name: 'TASK_TIMEOUT' },
})

/** Stops an attempt in two steps: its signal first, its worker when the grace is over. */
const stop = (clock: Clock, running: Running, reason: string, grace: number): Timer => {
  running.abort(reason)
  return clock.setTimer(() => running.kill(reason), grace)
}

const runAttempt = async (parts: HostParts, claim: Claim): Promise<Outcome> => {
  const made = parts.executor(claim.policy.runOn)
  const traced = parts.tracing.attempt(claim.task)
  const outcome = await attempt(made instanceof Promise ? await made : made, parts, claim, traced.trace)
  traced.ended(outcome)
  // A handler that throws because it was asked to stop did as it was told.
  if (outcome.kind === 'error' && !claim.signal.aborted) parts.failed(outcome.error, claim.task)
  return outcome
}

const attempt = (
  executor: Executor,
  parts: HostParts,
  claim: Claim,
  trace: string | undefined,
): Promise<Outcome> => {
  const { clock } = parts
  const { task, policy, signal } = claim
  const { timeout, cancelGrace } = policy
  const timers: Timer[] = []
  let late = false
  const onTimeout = (): void => {
    late = true
    timers.push(stop(clock, running, 'TASK_TIMEOUT', cancelGrace))
  }
  const started = (): void => {
    parts.told({ name: 'started', task })
    if (timeout !== undefined) timers.push(clock.setTimer(onTimeout, timeout))
  }
  const call = {
    taskId: task.id,
    procedure: task.procedure,
    input: task.input,
    carried: task.carried,
    attempt: task.attempt,
    ...(trace === undefined ? {} : { trace }),
  }
  const reported = (progress: unknown): void => {
    claim.progress(progress)
    parts.told({ name: 'progress', task: { ...task, progress }, progress })
  }
  const logged = (log: TaskLog): void => {
    claim.log(log)
    parts.logged(task, log)
  }
  const events = { progress: reported, log: logged, start: parts.serve(claim, trace) }
  const running = executor.run(call, events, started)
  const onAbort = (): void => void timers.push(stop(clock, running, reasonOf(signal), cancelGrace))
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  return running.outcome.then((outcome) => {
    for (const timer of timers) clock.clearTimer(timer)
    signal.removeEventListener('abort', onAbort)
    return late && outcome.kind !== 'value' ? timedOut(timeout as number) : outcome
  })
}

const reasonOf = (signal: AbortSignal): string =>
  signal.reason instanceof Error ? signal.reason.name : String(signal.reason)

const tellOfChange =
  ({ told }: HostParts): NonNullable<EngineHost['changed']> =>
  (before, task) => {
    const name = changeName(before, task)
    if (name) told({ name, task })
  }

/** The host of one app's engine. */
export const createHost = (parts: HostParts): EngineHost => ({
  clock: parts.clock,
  policy: (procedure) => parts.policies.get(procedure),
  slots: (runOn) => parts.slots[runOn],
  run: (claim) => runAttempt(parts, claim),
  changed: tellOfChange(parts),
  report: parts.report,
  lost: parts.lost,
})
