/** What was called: every attempt of every task and every plain call, in the order they began. */
import type { Failure } from '../procedures/failure.ts'
import type { AnyProcedure } from '../procedures/procedure.ts'

/** Why a call failed: with the words that callers may not see. */
export interface CallError {
  /** The declared code, a task code such as `'WORKER_LOST'`, or a tRPC code key. */
  readonly code: string
  readonly message: string
  /** The payload of a declared error. */
  readonly data?: unknown
}

/** One call as it went over the wire. It has neither `output` nor `error` while it runs. */
export interface Call<TInput = unknown, TOutput = unknown> {
  readonly input: TInput
  /** Counts from 1. */
  readonly attempt: number
  readonly output?: TOutput
  readonly error?: CallError
}

/** A call with its procedure's dotted path. */
export interface NamedCall extends Call {
  readonly procedure: string
}

// Wire types stand in a task's `~types`, and in what tRPC reads of the others.
// oxlint-disable typescript/no-explicit-any -- inputs and outputs of every procedure
type TypesOf<T> = T extends { '~types': { input: infer I; output: infer O } }
  ? [I, O]
  : T extends { _def: { $types: { input: infer I; output: infer O } } }
    ? [I, O extends AsyncIterable<any> ? never : O]
    : [unknown, unknown]
// oxlint-enable typescript/no-explicit-any

/** Calls of a procedure, typed by it. */
export type CallsOf<T> = Call<TypesOf<T>[0], TypesOf<T>[1]>

/** A call that goes on. */
export interface OpenCall {
  succeeded(output: unknown): void
  failed(error: Failure): void
  /** It never began after all. */
  withdrawn(): void
}

const toError = ({ code, message, data, internal }: Failure): CallError => ({
  code,
  message: internal?.message ?? message,
  ...(data === undefined ? {} : { data }),
})

/** Notes calls. */
export class CallLog {
  readonly #calls = new Set<NamedCall>()

  begin(procedure: string, input: unknown, attempt: number): OpenCall {
    const call: NamedCall = { procedure, input, attempt }
    this.#calls.add(call)
    return {
      succeeded: (output) => void Object.assign(call, { output }),
      failed: (error) => void Object.assign(call, { error: toError(error) }),
      withdrawn: () => void this.#calls.delete(call),
    }
  }

  /** As they are now: what happens later doesn't change what was given. */
  all(): NamedCall[] {
    return Array.from(this.#calls, (call) => ({ ...call }))
  }

  of(path: string): Call[] {
    return this.all()
      .filter(({ procedure }) => procedure === path)
      .map(({ procedure: _procedure, ...call }) => call)
  }
}

/** A procedure, or its dotted path. */
export type Named = AnyProcedure | string
