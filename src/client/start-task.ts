/** Starting tasks from a client, and taking hold of those that were started elsewhere. */
import { createHandle } from '../protocol/handle.ts'
import { insist, TRIES } from '../protocol/patience.ts'
import type { TaskHandle } from '../protocol/task-handle.ts'
import type { RemoteTask, StartTaskOptions } from './remote-task.ts'
import { trpcTask, type TrpcInput, type TrpcOutput, type TrpcProgress, type TrpcTask } from './trpc-task.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- inputs and outputs of every task
type AnyRemoteTask = RemoteTask<any, any, any>
/** A task of a tRPC client, or one made by `restTask`. */
export type ClientTask = TrpcTask | AnyRemoteTask

type InputOf<T> = T extends RemoteTask<infer I> ? I : TrpcInput<T>
/** The handle of a client's task. */
export type HandleOf<T> =
  T extends RemoteTask<never, infer O, infer P>
    ? TaskHandle<O, P>
    : TaskHandle<TrpcOutput<T>, TrpcProgress<T>>

// A tRPC client is a proxy: it has no members until they are read, so it never has this one.
const remote = (procedure: ClientTask): AnyRemoteTask =>
  'retryAfter' in procedure ? procedure : trpcTask(procedure)

/**
 * A handle to a task that was started earlier, here or elsewhere.
 *
 * @example const task = attachTask(trpc.countPrimes, id)
 */
export const attachTask = <T extends ClientTask>(procedure: T, id: string): HandleOf<T> =>
  createHandle(remote(procedure), id) as HandleOf<T>

// Not crypto.randomUUID: browsers have that on https and localhost alone.
const createKey = (): string => crypto.getRandomValues(new Uint32Array(4)).join('-')

/**
 * Starts a task; resolves once the server has made it durable. A start whose answer is lost is made again for some
 * seconds, with a key by which the server tells that it is the same.
 *
 * @example const task = await startTask(trpc.countPrimes, { below: 1e9 })
 */
export const startTask = async <T extends ClientTask>(
  procedure: T,
  input: InputOf<T>,
  options?: StartTaskOptions,
): Promise<HandleOf<T>> => {
  const access = remote(procedure)
  const start = { ...options, retryKey: createKey() }
  const { id } = await insist(access, () => access.start(input, start), { tries: TRIES })
  return attachTask(procedure, id)
}
