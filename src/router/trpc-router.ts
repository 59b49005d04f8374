/** The app as a real tRPC router: what `typeof app.router` promises, any tRPC adapter can serve. */
import { initTRPC, type AnyTRPCProcedure, type AnyTRPCRouter } from '@trpc/server'
import type { Call, CallEnvironment } from '../procedures/call.ts'
import { toFailure, type CallResult } from '../procedures/failure.ts'
import type { ErrorShape } from '../procedures/procedure.ts'
import { toBytes } from './body-limit.ts'
import { leave, type Doors } from './doors.ts'
import type { Entry } from './entries.ts'
import { foreignFailure } from './foreign.ts'
import type { HttpRequest } from './http.ts'
import { formatError, toTRPCError } from './trpc-shape.ts'

/** The context that Errand's own doors hand to tRPC: the user's, and the request it was made for. */
export class DoorContext {
  readonly ctx: unknown
  readonly request: HttpRequest
  constructor(ctx: unknown, request: HttpRequest) {
    this.ctx = ctx
    this.request = request
  }
}

/** A tRPC procedure of Errand's own, such as `countPrimes.start`: its kind and what it does. */
export interface Operation {
  readonly path: string
  readonly kind: 'query' | 'mutation' | 'subscription'
  /** It starts a task, so an idempotency key means something to it. */
  readonly starts?: boolean
  /** It may wait as long as it is asked to, and answers at once with what there is when its signal aborts. */
  readonly waits?: boolean
  /** Bytes. Default the app's. */
  readonly bodyLimit?: number
  /** `request` is there only when the call came through one of Errand's own doors. */
  readonly call: (
    input: unknown,
    environment: CallEnvironment,
    request: HttpRequest | undefined,
  ) => CallResult | Promise<CallResult>
}

const NEVER = new AbortController().signal

const passThrough = (input: unknown): unknown => input

/**
 * A subscription says so when it has nothing to say, as the REST door's streams do, and a client that hears nothing at
 * all takes the connection for dead: of one that a proxy dropped or a laptop slept through, nobody tells it.
 */
const SSE = { ping: { enabled: true, intervalMs: 15_000 }, client: { reconnectAfterInactivityMs: 40_000 } }

type Builder = ReturnType<typeof createBuilder>

const createBuilder = (reveal: boolean) =>
  initTRPC.context<object>().create({
    isDev: false,
    sse: SSE,
    errorFormatter: ({ shape, error, path }) =>
      formatError(error, shape as ErrorShape, path, reveal) as never,
  })

async function* guardItems(
  items: AsyncIterable<unknown>,
  doors: Doors,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<unknown, void> {
  try {
    yield* items as AsyncGenerator<unknown>
  } catch (thrown) {
    // Nobody is left to hear of it, and stopping is what the signal asked for.
    if (signal.aborted) return
    throw toTRPCError(leave(doors, toFailure(thrown), path))
  }
}

interface ResolverArgs {
  readonly ctx: unknown
  readonly input: unknown
  readonly signal?: AbortSignal | undefined
}

const compileResolver = (doors: Doors, operation: Operation) => async (args: ResolverArgs) => {
  const { ctx, input, signal = NEVER } = args
  const door = ctx instanceof DoorContext ? ctx : undefined
  const environment = { ctx: door ? door.ctx : ctx, signal, tasks: doors.tasks }
  const result = await operation.call(input, environment, door?.request)
  if (!result.ok) throw toTRPCError(leave(doors, result.error, operation.path))
  return operation.kind === 'subscription'
    ? guardItems(result.value as AsyncIterable<unknown>, doors, operation.path, signal)
    : (result.value as never)
}

const toTrpcProcedure = (builder: Builder, doors: Doors, operation: Operation): AnyTRPCProcedure => {
  const base = builder.procedure.input(passThrough)
  const resolver = compileResolver(doors, operation)
  if (operation.kind === 'query') return base.query(resolver)
  if (operation.kind === 'mutation') return base.mutation(resolver)
  return base.subscription(resolver as never)
}

// The same procedure, called with the user's own context when one of our doors calls it, and failing as ours do.
const rewrap = (doors: Doors, path: string, procedure: AnyTRPCProcedure): AnyTRPCProcedure => {
  const call = async (options: Parameters<AnyTRPCProcedure>[0]): Promise<unknown> => {
    try {
      return await procedure(
        options.ctx instanceof DoorContext ? { ...options, ctx: options.ctx.ctx } : options,
      )
    } catch (thrown) {
      throw toTRPCError(leave(doors, foreignFailure(thrown), path))
    }
  }
  return Object.assign(call, { _def: procedure._def, procedure: true, meta: procedure.meta }) as never
}

type TrpcRecord = { [name: string]: AnyTRPCProcedure | TrpcRecord }

const place = (record: TrpcRecord, path: string, procedure: AnyTRPCProcedure): void => {
  const names = path.split('.')
  const last = names.pop() as string
  const home = names.reduce((node, name) => (node[name] ??= {}) as TrpcRecord, record)
  home[last] = procedure
}

/** An entry that is called as it is, as an operation. */
export const entryOperation = (entry: Entry): Operation => ({
  path: entry.path,
  kind: entry.kind as Operation['kind'],
  ...limitOf(entry),
  call: entry.call as Call,
})

/** The `bodyLimit` of an entry, if it has one. */
export const limitOf = ({ definition }: Entry): Pick<Operation, 'bodyLimit'> => {
  const { bodyLimit } = definition.meta
  return bodyLimit === undefined ? {} : { bodyLimit: toBytes(bodyLimit) }
}

/** Builds the router from Errand's operations and the procedures of plain tRPC. */
export const buildTrpcRouter = (
  doors: Doors,
  operations: readonly Operation[],
  foreign: readonly Entry[],
): AnyTRPCRouter => {
  const builder = createBuilder(doors.reveal)
  const record: TrpcRecord = {}
  for (const operation of operations)
    place(record, operation.path, toTrpcProcedure(builder, doors, operation))
  for (const entry of foreign)
    place(record, entry.path, rewrap(doors, entry.path, entry.foreign as AnyTRPCProcedure))
  return builder.router(record as never)
}
