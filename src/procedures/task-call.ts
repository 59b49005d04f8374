/** The two halves of a task's call: admitting it at a door, and running it where its worker is. */
import { createHandle } from '../protocol/handle.ts'
import type { TaskAccess } from '../protocol/task-access.ts'
import type { TaskLog, TaskRecord } from '../protocol/task.ts'
import { compileErrors, compileOutput, invalidInput } from './call.ts'
import { errorWithoutStack } from './errors.ts'
import { failure, success, toFailure, type CallResult, type Failure } from './failure.ts'
import type { TaskLogger, TaskStarter } from './handler.ts'
import { compileOnion } from './onion.ts'
import type { AnyProcedure, Definition, StartOptions } from './procedure.ts'
import { runLayers, type TaskMiddleware } from './task-middleware.ts'
import { compileEncode, compileParse, type Check, type Checked } from './schema.ts'

/** What is known of a task once its input and its caller were found good. */
export interface Admission {
  /** The slice of the context for the worker. */
  readonly carried?: unknown
  /** From the procedure's own `idempotencyKey`. */
  readonly idempotencyKey?: string
}

/** Lets a task in: middleware, then the input's check, then `start`. Never throws, never rejects. */
export type Admit = <T>(
  input: unknown,
  ctx: unknown,
  start: (admission: Admission) => Promise<T>,
) => Promise<CallResult<T>>

type Start = (admission: Admission) => Promise<unknown>

/** Compiles the door's half. */
export const compileAdmission = (path: string, definition: Definition): Admit => {
  const parse = compileParse(definition.input)
  const { carry, idempotencyKey } = definition.task ?? {}
  const onion = compileOnion<Start>(path, definition, async (ctx, input, start) => {
    const checked = await parse(input)
    if (checked.issues.length > 0) throw errorWithoutStack(invalidInput(checked.issues))
    return start({
      ...(carry ? { carried: carry({ ctx: ctx as never }) } : {}),
      ...(idempotencyKey ? { idempotencyKey: idempotencyKey({ input: checked.value as never }) } : {}),
    })
  })
  return async (input, ctx, start) => {
    try {
      return success((await onion(ctx, input, start)).output) as CallResult<never>
    } catch (thrown) {
      return failure(toFailure(thrown))
    }
  }
}

/** Compiles what a start from the server's own code needs: the input's check, without a caller or middleware. */
export const compileServerAdmission = (definition: Definition): ((input: unknown) => Promise<Admission>) => {
  const parse = compileParse(definition.input)
  const { idempotencyKey } = definition.task ?? {}
  return async (input) => {
    const checked = await parse(input)
    if (checked.issues.length > 0) throw errorWithoutStack(invalidInput(checked.issues))
    return idempotencyKey ? { idempotencyKey: idempotencyKey({ input: checked.value as never }) } : {}
  }
}

/** The dotted path of a task in this app. Throws a TypeError for one that isn't in it. */
export type PathOf = (task: AnyProcedure | string) => string

/** What a running handler may ask of the host of its worker. All of it is JSON. */
export type HostRequest =
  | {
      readonly op: 'start'
      readonly procedure: string
      readonly input: unknown
      readonly options?: StartOptions
    }
  | { readonly op: 'get'; readonly id: string; readonly wait?: number; readonly after?: string }
  | { readonly op: 'cancel'; readonly id: string }

/** What a worker gives a task's handler. */
export interface TaskCall {
  /** Raw wire input. */
  readonly input: unknown
  readonly carried: unknown
  readonly attempt: number
  readonly taskId: string
  /** Where in which trace it is, as a traceparent. */
  readonly trace?: string | undefined
  readonly signal: AbortSignal
  progress(progress: unknown): void
  log(log: TaskLog): void
  /** Asks the host; resolves with a task's record. */
  start(request: HostRequest): Promise<unknown>
}

/** How a handler ended. */
export type TaskOutcome =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'error'; readonly error: Failure }

/** Runs a task's handler once. Never rejects; its value is wire JSON. */
export type TaskFunction = (call: TaskCall) => Promise<TaskOutcome>

const toOutcome = (result: CallResult): TaskOutcome =>
  result.ok ? { kind: 'value', value: result.value } : { kind: 'error', error: result.error }

const logger = (log: TaskCall['log']): TaskLogger => {
  const at = (level: TaskLog['level']) => (message: string, fields?: Record<string, unknown>) =>
    log({ level, message, at: new Date().toISOString(), ...(fields ? { fields } : {}) })
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

// Without a push channel of its own, a handle in a worker long-polls its host.
const hostedStarter = (ask: TaskCall['start'], pathOf: PathOf): TaskStarter => {
  const access: TaskAccess = {
    get: (query) => ask({ op: 'get', ...query }) as Promise<TaskRecord>,
    cancel: (id) => ask({ op: 'cancel', id }) as Promise<TaskRecord>,
  }
  const start = async (task: AnyProcedure | string, input: unknown, options?: StartOptions) => {
    if (options && 'tx' in options)
      throw new TypeError(
        'option tx: a task runs apart from the server, and no transaction reaches there. Start after the commit',
      )
    const record = await ask({ op: 'start', procedure: pathOf(task), input, ...(options ? { options } : {}) })
    return createHandle(access, (record as TaskRecord).id)
  }
  return { start } as TaskStarter
}

const progressReporter = (path: string, check: Check | undefined, report: TaskCall['progress']) => {
  const send = (checked: Checked): void => {
    if (checked.issues.length === 0) return report(checked.value)
    throw new TypeError(
      `progress of ${path} does not match its schema: ${checked.issues.map((i) => i.message).join('; ')}`,
    )
  }
  return (progress: unknown): void => {
    const checked = check ? check(progress) : { value: progress, issues: [] }
    if (checked instanceof Promise)
      throw new TypeError(`the progress schema of ${path} is async; it must be synchronous`)
    send(checked)
  }
}

/** What the worker's half knows of its app. */
export interface TaskSurroundings {
  readonly pathOf: PathOf
  /** Around every attempt, outermost first. */
  readonly layers: readonly TaskMiddleware[]
}

/** Compiles the worker's half. */
export const compileTask = (
  path: string,
  definition: Definition,
  { pathOf, layers }: TaskSurroundings,
): TaskFunction => {
  const parse = compileParse(definition.input)
  const encode = compileOutput(path, definition)
  const errors = compileErrors(definition)
  const progressCheck = definition.progress && compileEncode(definition.progress)
  const { handler, meta } = definition
  const handle = async (call: TaskCall, log: TaskLogger): Promise<unknown> => {
    const checked = await parse(call.input)
    if (checked.issues.length > 0) throw errorWithoutStack(invalidInput(checked.issues))
    const { attempt, taskId, carried, signal } = call
    const tasks = hostedStarter(call.start, pathOf)
    const progress = progressReporter(path, progressCheck, call.progress)
    const input = checked.value
    return handler({ input, carried, errors, signal, progress, log, attempt, taskId, tasks, meta, path })
  }
  const run = async (call: TaskCall): Promise<CallResult> => {
    const log = logger(call.log)
    const core = (): Promise<unknown> => handle(call, log)
    if (layers.length === 0) return encode(await core())
    const { input, carried, attempt, taskId, trace, signal } = call
    const args = { input, carried, attempt, taskId, trace, signal, log, meta, path }
    return encode((await runLayers(layers, args, core)).output)
  }
  return (call) =>
    run(call).then(toOutcome, (thrown: unknown) => ({ kind: 'error', error: toFailure(thrown) }))
}
