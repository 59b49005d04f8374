/** A worker's line to its host: a message port in a thread, the process channel in a process. */
import type { Job } from './messages.ts'
import type { Post } from './outbox.ts'

export interface Line {
  readonly post: Post
  listen(receive: (batch: string) => void): void
}

/** A batch on a process channel, which other code may use too. */
export interface ChannelMessage {
  readonly errand: string
}

/** Whether a message on a process channel is a batch of ours. */
export const isChannelMessage = (message: unknown): message is ChannelMessage =>
  typeof message === 'object' && message !== null && typeof (message as ChannelMessage).errand === 'string'

const openPort = (port: NonNullable<Job['port']>): Line => ({
  post: (batch) => port.postMessage(batch),
  listen: (receive) => port.on('message', receive),
})

const openChannel = (): Line => ({
  // An error means that the host has closed the channel; the worker then ends by its orphan guard.
  post: (batch) =>
    new Promise((resolve) => {
      process.send?.({ errand: batch } satisfies ChannelMessage, undefined, undefined, () => resolve())
    }),
  listen: (receive) =>
    process.on('message', (message) => isChannelMessage(message) && receive(message.errand)),
})

export const openLine = (job: Job): Line => (job.port ? openPort(job.port) : openChannel())
