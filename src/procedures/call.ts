/** Compiles a procedure into the function that every door calls: middleware, parse, handler, encode. */
import type { Issue } from '../protocol/errors.ts'
import { errorWithoutStack, ProcedureError, type ErrorMakers } from './errors.ts'
import { failure, success, toFailure, type CallResult, type Failure } from './failure.ts'
import type { TaskStarter } from './handler.ts'
import { inspectSchema } from './inspect.ts'
import { notJson } from './json.ts'
import { compileOnion, type Layered } from './onion.ts'
import type { AnyHandler, Definition } from './procedure.ts'
import { compileEncode, compileParse, type Check, type Checked } from './schema.ts'
import { streamContentType } from './stream.ts'
import { isThenable } from './thenable.ts'

/** What a door gives a call besides the input. */
export interface CallEnvironment {
  readonly ctx: unknown
  /** Aborts when the caller hangs up; made when first read. */
  readonly signal: AbortSignal
  readonly tasks: TaskStarter
}

/** Runs a procedure on a raw wire input. Never throws, never rejects. */
export type Call = (input: unknown, environment: CallEnvironment) => CallResult | Promise<CallResult>

/** `invalid input` as data. */
export const invalidInput = (issues: readonly Issue[]): Failure => ({
  code: 'BAD_REQUEST',
  status: 400,
  message:
    issues.length === 1
      ? `Invalid input: ${sentence(issues[0] as Issue)}`
      : `Invalid input: ${issues.length} issues, first ${sentence(issues[0] as Issue)}`,
  issues,
})

const SAID = 'Invalid input: '

// zod begins many messages with the very words that the sentence begins with.
const sentence = ({ path, message }: Issue): string => {
  const text = message.startsWith(SAID) ? message.slice(SAID.length) : message
  return path.length === 0 ? text : `${path.join('.')}: ${text}`
}

/** A handler that broke its own output schema. */
export const invalidOutput = (path: string, problem: string): Failure => ({
  code: 'OUTPUT_INVALID',
  status: 500,
  message: 'Internal server error',
  name: 'OutputInvalid',
  internal: { name: 'OutputInvalid', message: `${path} returned what its output schema refuses: ${problem}` },
})

/** Makers of a procedure's declared errors. */
export const compileErrors = (definition: Definition): ErrorMakers<Record<string, { status: number }>> =>
  Object.fromEntries(
    Object.entries(definition.errors).map(([code, declared]) => [code, errorMaker(code, declared)]),
  )

const errorMaker = (code: string, declared: Definition['errors'][string]) => {
  const encode = declared.data && compileEncode(declared.data)
  return (data?: unknown, options: { message?: string; cause?: unknown } = {}) =>
    new ProcedureError(code as never, options.message ?? declared.message ?? inWords(code), {
      data: encode ? encodeErrorData(code, encode(data)) : undefined,
      status: declared.status,
      declared: true,
      anyCode: true,
      ...('cause' in options ? { cause: options.cause } : {}),
    } as object)
}

const encodeErrorData = (code: string, checked: Checked | Promise<Checked>): unknown => {
  if (checked instanceof Promise)
    throw new TypeError(`errors.${code}: its data schema is async; declared errors need a synchronous one`)
  if (checked.issues.length === 0) return checked.value
  throw new TypeError(
    `errors.${code}: the data does not match its schema: ${checked.issues.map(sentence).join('; ')}`,
  )
}

const inWords = (code: string): string => code.charAt(0) + code.slice(1).toLowerCase().replaceAll('_', ' ')

/** How a procedure's output becomes what goes on the wire. Never throws, never rejects. */
export const compileOutput = (
  path: string,
  definition: Definition,
): ((value: unknown) => CallResult | Promise<CallResult>) => {
  const { output } = definition
  if (streamContentType(output)) return success
  const { directional, opaque, file } = inspectSchema(output, 'output')
  if (file) return success
  // Without codecs both directions do the same, and parsing is the faster one.
  const check: Check = directional ? compileEncode(output) : compileParse(output)
  const settle = (checked: Checked): CallResult => {
    if (checked.issues.length > 0)
      return failure(invalidOutput(path, checked.issues.map(sentence).join('; ')))
    const problem = opaque ? notJson(checked.value) : undefined
    return problem === undefined ? checkedSuccess(checked) : failure(invalidOutput(path, problem))
  }
  return (value) => {
    try {
      const checked = check(value)
      return checked instanceof Promise ? checked.then(settle).catch(failed) : settle(checked)
    } catch (thrown) {
      return failed(thrown)
    }
  }
}

const checkedSuccess = (checked: Checked): CallResult => success(checked.value)
const failed = (thrown: unknown): CallResult => failure(toFailure(thrown))

interface Fixed {
  readonly errors: object
  readonly meta: object
  readonly path: string
}

/**
 * The arguments of a handler. The signal is made only for a handler that reads it. It is a member of each instance, so
 * that a spread has it, but with one accessor for all: a getter in an object literal costs a new hidden class a call.
 */
class Arguments {
  readonly input: unknown
  readonly ctx: unknown
  readonly errors: object
  readonly meta: object
  readonly path: string
  readonly tasks: TaskStarter
  readonly #environment: CallEnvironment

  static readonly #SIGNAL: PropertyDescriptor & ThisType<Arguments> = {
    enumerable: true,
    get(): AbortSignal {
      return this.#environment.signal
    },
  }

  constructor(input: unknown, ctx: unknown, environment: CallEnvironment, fixed: Fixed) {
    this.input = input
    this.ctx = ctx
    this.errors = fixed.errors
    this.meta = fixed.meta
    this.path = fixed.path
    this.tasks = environment.tasks
    this.#environment = environment
    Object.defineProperty(this, 'signal', Arguments.#SIGNAL)
  }
}

/** The call without middleware: stays synchronous as long as the schemas and the handler do. */
const compilePlain = (path: string, definition: Definition): Call => {
  const parse = compileParse(definition.input)
  const encode = compileOutput(path, definition)
  const handler: AnyHandler = definition.handler
  const fixed: Fixed = { errors: compileErrors(definition), meta: definition.meta, path }
  const run = (checked: Checked, environment: CallEnvironment): CallResult | Promise<CallResult> => {
    if (checked.issues.length > 0) return failure(invalidInput(checked.issues))
    const returned = handler(new Arguments(checked.value, environment.ctx, environment, fixed))
    return isThenable(returned) ? Promise.resolve(returned).then(encode, failed) : encode(returned)
  }
  return (input, environment) => {
    try {
      const checked = parse(input)
      return checked instanceof Promise
        ? checked.then((done) => run(done, environment)).catch(failed)
        : run(checked, environment)
    } catch (thrown) {
      return failed(thrown)
    }
  }
}

/** The call inside its middleware, which runs before the input is parsed. */
const compileLayered = (path: string, definition: Definition): Call => {
  const parse = compileParse(definition.input)
  const encode = compileOutput(path, definition)
  const handler: AnyHandler = definition.handler
  const fixed: Fixed = { errors: compileErrors(definition), meta: definition.meta, path }
  const run = (checked: Checked, ctx: unknown, environment: CallEnvironment): unknown => {
    // Rejecting costs a tenth of throwing.
    if (checked.issues.length > 0) return Promise.reject(errorWithoutStack(invalidInput(checked.issues)))
    return handler(new Arguments(checked.value, ctx, environment, fixed))
  }
  const onion = compileOnion<CallEnvironment>(path, definition, (ctx, input, environment) => {
    const checked = parse(input)
    return checked instanceof Promise
      ? checked.then((done) => run(done, ctx, environment))
      : run(checked, ctx, environment)
  })
  const encodeLayered = ({ output }: Layered): CallResult | Promise<CallResult> => encode(output)
  return (input, environment) => {
    try {
      const layered = onion(environment.ctx, input, environment)
      return layered instanceof Promise ? layered.then(encodeLayered, failed) : encodeLayered(layered)
    } catch (thrown) {
      return failed(thrown)
    }
  }
}

/** Compiles a query or a mutation. */
export const compileCall = (path: string, definition: Definition): Call =>
  definition.middlewares.length === 0 ? compilePlain(path, definition) : compileLayered(path, definition)
