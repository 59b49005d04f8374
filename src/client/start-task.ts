/** Starting tasks from a client, and taking hold of those that were started elsewhere. */
import { createHandle } from '../protocol/handle.ts'
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
  'isTransient' in procedure ? procedure : trpcTask(procedure as TrpcTask)

/**
 * A handle to a task that was started earlier, here or elsewhere.
 *
 * @example const task = attachTask(trpc.countPrimes, id)
 */
export const attachTask = <T extends ClientTask>(procedure: T, id: string): HandleOf<T> =>
  createHandle(remote(procedure), id) as HandleOf<T>

/**
 * Starts a task; resolves once the server has made it durable.
 *
 * @example const task = await startTask(trpc.countPrimes, { below: 1e9 })
 */
export const startTask = async <T extends ClientTask>(
  procedure: T,
  input: InputOf<T>,
  options?: StartTaskOptions,
): Promise<HandleOf<T>> => attachTask(procedure, (await remote(procedure).start(input, options)).id)
