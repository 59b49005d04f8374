/**
 * The tRPC protocol. Plain JSON calls, single and batched, are answered here; batch streams, subscriptions, uploads and
 * everything unusual go to tRPC's own code, so that whatever an unmodified client sends gets tRPC's answer.
 * Both ways give the same bytes: `tests/integration/trpc-parity.test.ts` holds them together.
 */
import { ProcedureError } from '../procedures/errors.ts'
import { toFailure, type CallResult, type Failure } from '../procedures/failure.ts'
import type { RequestEnvironment } from './doors.ts'
import { enter, leave, type Doors } from './doors.ts'
import { NOSNIFF, queryOf, type HttpReply, type HttpRequest } from './http.ts'
import { decodeText, refuseDeep } from './json-text.ts'
import { retryAfterHeader } from './problem.ts'
import type { Route } from './route-table.ts'
import { toShape } from './trpc-shape.ts'
import type { Operation } from './trpc-router.ts'

const HEADERS = ['vary', 'trpc-accept, accept', 'content-type', 'application/json', ...NOSNIFF] as const

/** One call of a request that can be answered here. */
interface PlainCall {
  readonly operation: Operation
  readonly index: number
}

/** Gives a request to tRPC's own code; `limit` is that of its body, `bytes` are there when it was read already. */
export type Delegate = (request: HttpRequest, limit: number, bytes?: Uint8Array) => Promise<HttpReply>

const KIND_BY_METHOD: Record<string, Operation['kind'] | undefined> = { GET: 'query', POST: 'mutation' }

const isPlainJson = (request: HttpRequest): boolean => {
  const type = request.header('content-type')
  if (type !== 'application/json' && !(type === undefined && request.method === 'GET')) return false
  return request.header('trpc-accept') === undefined && !request.header('accept')?.includes('jsonl')
}

/** The calls of a request, or undefined if any of them is for tRPC's own code. */
const plainCalls = (
  operations: ReadonlyMap<string, Operation>,
  request: HttpRequest,
  paths: readonly string[],
): PlainCall[] | undefined => {
  const kind = KIND_BY_METHOD[request.method]
  if (kind === undefined || !isPlainJson(request)) return undefined
  const calls: PlainCall[] = []
  for (const [index, path] of paths.entries()) {
    const operation = operations.get(path)
    if (operation?.kind !== kind) return undefined
    calls.push({ operation, index })
  }
  return calls
}

const UNREADABLE = Symbol('unreadable')

/** The inputs of a request by index, or UNREADABLE: how to refuse it is tRPC's own business. */
const readInputs = (text: string | null, batched: boolean): unknown => {
  if (text === null || text === '') return undefined
  refuseDeep(text, 'The input')
  try {
    const parsed: unknown = JSON.parse(text)
    const isRecord = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
    return batched && !isRecord ? UNREADABLE : parsed
  } catch {
    return UNREADABLE
  }
}

interface Answer {
  readonly status: number
  readonly text: string
}

const refusal = (doors: Doors, path: string, failure: Failure, request: HttpRequest): Answer => {
  const error = toShape(leave(doors, failure, path, request), path)
  return { status: error.data.httpStatus, text: JSON.stringify({ error }) }
}

const answer = (doors: Doors, { path }: Operation, result: CallResult, request: HttpRequest): Answer => {
  if (!result.ok) return refusal(doors, path, result.error, request)
  const data = result.value === undefined ? undefined : JSON.stringify(result.value)
  return { status: 200, text: data === undefined ? '{"result":{}}' : `{"result":{"data":${data}}}` }
}

const single = ({ status, text }: Answer): HttpReply => ({ status, headers: HEADERS, body: text })

const join = (answers: readonly Answer[]): HttpReply => {
  const [first] = answers
  const status = answers.every((each) => each.status === first?.status) ? (first?.status ?? 200) : 207
  return { status, headers: HEADERS, body: `[${answers.map((each) => each.text).join(',')}]` }
}

const inputAt = (inputs: unknown, index: number): unknown =>
  inputs === undefined ? undefined : (inputs as Record<number, unknown>)[index]

/**
 * A batch is answered as a whole, so nobody in it is to wait for another's long poll: with the first result the
 * polls end, and are asked again.
 */
const shortestWait = (calls: readonly PlainCall[], environment: RequestEnvironment) => {
  if (calls.length < 2 || !calls.some(({ operation }) => operation.waits))
    return { environmentOf: () => environment, done: () => undefined }
  const first = new AbortController()
  const { ctx, tasks, signal } = environment
  const waiting = { ctx, tasks, signal: AbortSignal.any([signal, first.signal]) }
  return {
    environmentOf: ({ waits }: Operation) => (waits ? waiting : environment),
    done: () => first.abort(),
  }
}

/** The door over all operations of an app. */
export const compileTrpcDoor = (
  doors: Doors,
  operations: ReadonlyMap<string, Operation>,
  delegate: Delegate,
): Required<Pick<Route, 'handle' | 'refuse'>> => {
  const one = (call: PlainCall, input: unknown, environment: RequestEnvironment, request: HttpRequest) => {
    const toReply = (result: CallResult): HttpReply => single(answer(doors, call.operation, result, request))
    const result = call.operation.call(input, environment, request)
    return result instanceof Promise ? result.then(toReply) : toReply(result)
  }

  const many = async (
    calls: readonly PlainCall[],
    inputs: unknown,
    environment: RequestEnvironment,
    request: HttpRequest,
  ) => {
    const { environmentOf, done } = shortestWait(calls, environment)
    const answers = calls.map(async ({ operation, index }) => {
      const result = await operation.call(inputAt(inputs, index), environmentOf(operation), request)
      done()
      return answer(doors, operation, result, request)
    })
    return join(await Promise.all(answers))
  }

  const respond = async (request: HttpRequest, { paths, batched, search }: Target): Promise<HttpReply> => {
    const calls = plainCalls(operations, request, paths)
    const limit = Math.max(...paths.map((each) => operations.get(each)?.bodyLimit ?? doors.bodyLimit))
    if (!calls) return delegate(request, limit)
    refuseSharedKey(request, calls)
    const bytes = request.method === 'POST' ? await request.body(limit) : undefined
    const inputs = readInputs(bytes ? decodeText(bytes) : (search?.get('input') ?? null), batched)
    if (inputs === UNREADABLE) return delegate(request, limit, bytes)
    const environment = await enter(doors, request)
    return batched
      ? many(calls, inputs, environment, request)
      : one(calls[0] as PlainCall, inputs, environment, request)
  }

  // What stops a request before its calls (its body, its context) is each call's error.
  const refuse = (request: HttpRequest, { paths, batched }: Target, error: Failure): HttpReply => {
    const answers = paths.map((path) => refusal(doors, path, error, request))
    const { headers, ...rest } = batched ? join(answers) : single(answers[0] as Answer)
    return { ...rest, headers: [...headers, ...retryAfterHeader(error)] }
  }

  return {
    handle: (request, params) => {
      const target = targetOf(request, params['path'] as string)
      return respond(request, target).catch((thrown: unknown) => refuse(request, target, toFailure(thrown)))
    },
    refuse: (request, params, error) => refuse(request, targetOf(request, params['path'] as string), error),
  }
}

/** What a request's URL asks for. */
interface Target {
  /** Dotted paths of the calls. */
  readonly paths: readonly string[]
  readonly batched: boolean
  readonly search: URLSearchParams | undefined
}

const targetOf = (request: HttpRequest, path: string): Target => {
  const query = queryOf(request.url)
  const search = query === '' ? undefined : new URLSearchParams(query)
  const batched = search?.get('batch') === '1'
  const decoded = decode(path)
  return { paths: batched ? decoded.split(',') : [decoded], batched, search }
}

const decode = (path: string): string => {
  if (!path.includes('%')) return path
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** One key can't stand for several starts. */
const refuseSharedKey = (request: HttpRequest, calls: readonly PlainCall[]): void => {
  if (calls.length < 2 || request.header('idempotency-key') === undefined) return
  if (calls.filter(({ operation }) => operation.starts).length < 2) return
  throw new ProcedureError(
    'BAD_REQUEST',
    'The Idempotency-Key header stands for one start, and this batch has several: use startWith, with a key for each',
  )
}
