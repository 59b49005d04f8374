/** The app as a real tRPC router: what `typeof app.router` promises, any tRPC adapter can serve. */
import { initTRPC, type AnyTRPCProcedure, type AnyTRPCRouter } from '@trpc/server'
import type { Call } from '../procedures/call.ts'
import { failure, success, toFailure } from '../procedures/failure.ts'
import type { ErrorShape } from '../procedures/procedure.ts'
import { toBytes } from './body-limit.ts'
import { leave, type Doors } from './doors.ts'
import type { Entry } from './entries.ts'
import { foreignFailure } from './foreign.ts'
import { countCalls, holdPlace, ratedOf, type DoorCall } from './guarded-call.ts'
import type { HttpRequest } from './http.ts'
import { endingBoth } from './leaving.ts'
import type { Rated } from './throttle.ts'
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
  /** The rate it is counted against, beside that over all calls. */
  readonly rated?: Rated
  readonly call: DoorCall
}

/** An operation that is counted, and holds a place when it gives a stream. */
export const guarded = <T extends Operation>(doors: Doors, operation: T): T => {
  const { path, kind, rated, call } = operation
  const traced: DoorCall = (input, environment, request) =>
    doors.traceCall(path, request, () => call(input, environment, request))
  const held = kind === 'subscription' ? holdPlace(doors, traced) : traced
  return { ...operation, call: countCalls(doors, rated, held) }
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
  request: HttpRequest | undefined,
): AsyncGenerator<unknown, void> {
  try {
    yield* items as AsyncGenerator<unknown>
  } catch (thrown) {
    // Nobody is left to hear of it, and stopping is what the signal asked for.
    if (signal.aborted) return
    throw toTRPCError(leave(doors, toFailure(thrown), path, request))
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
  if (!result.ok) throw toTRPCError(leave(doors, result.error, operation.path, door?.request))
  if (operation.kind !== 'subscription') return result.value as never
  const items = result.value as AsyncIterable<unknown>
  return endingBoth(guardItems(items, doors, operation.path, signal, door?.request), items)
}

const toTrpcProcedure = (builder: Builder, doors: Doors, operation: Operation): AnyTRPCProcedure => {
  const base = builder.procedure.input(passThrough)
  const resolver = compileResolver(doors, operation)
  if (operation.kind === 'query') return base.query(resolver)
  if (operation.kind === 'mutation') return base.mutation(resolver)
  return base.subscription(resolver as never)
}

type ForeignOptions = Parameters<AnyTRPCProcedure>[0]

// The same procedure, called with the user's own context when one of our doors calls it, and failing as ours do.
const rewrap = (doors: Doors, entry: Entry): AnyTRPCProcedure => {
  const { path } = entry
  const procedure = entry.foreign as AnyTRPCProcedure
  const plain: DoorCall = (options, { ctx }) =>
    procedure({ ...(options as ForeignOptions), ctx }).then(success, (thrown: unknown) =>
      failure(foreignFailure(thrown)),
    )
  const operation = guarded(doors, { ...entryOperation(entry), call: plain })
  const call = async (options: ForeignOptions): Promise<unknown> => {
    const { ctx, signal = NEVER } = options
    const door = ctx instanceof DoorContext ? ctx : undefined
    const environment = { ctx: door ? door.ctx : ctx, signal, tasks: doors.tasks }
    const result = await operation.call(options, environment, door?.request)
    if (!result.ok) throw toTRPCError(leave(doors, result.error, path, door?.request))
    return result.value
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
  rated: ratedOf(entry),
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
  for (const entry of foreign) place(record, entry.path, rewrap(doors, entry))
  return builder.router(record as never)
}
