/** Compiles a subscription: the call gives an async iterable of wire items. */
import { compileCall, compileOutput, type Call } from './call.ts'
import { errorWithoutStack } from './errors.ts'
import { failure, success, toFailure, type CallResult } from './failure.ts'
import type { Definition } from './procedure.ts'
import { z } from 'zod'

const isIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value

/** Encodes each item as it comes. Rejects with a `ProcedureError` for an item that breaks the output schema. */
const encodeItems = async function* (
  items: AsyncIterable<unknown>,
  encode: (item: unknown) => CallResult | Promise<CallResult>,
): AsyncGenerator<unknown, void> {
  for await (const item of items) {
    const result = await encode(item)
    if (!result.ok) throw Object.assign(errorWithoutStack(result.error), { cause: result.error.internal })
    yield result.value
  }
}

/** Compiles a subscription. */
export const compileSubscription = (path: string, definition: Definition): Call => {
  const encode = compileOutput(path, definition)
  const open = compileCall(path, { ...definition, output: z.custom() })
  return async (input, environment) => {
    const result = await open(input, environment)
    if (!result.ok) return result
    if (isIterable(result.value)) return success(encodeItems(result.value, encode))
    return failure(
      toFailure(
        new TypeError(
          `${path} is a subscription, so its handler must return an async iterable: use async function*`,
        ),
      ),
    )
  }
}
