import { Queue, Worker } from 'bullmq'

const NAME = 'noop'
const connectionOf = (url) => ({ host: '127.0.0.1', port: Number(new URL(url).port), maxRetriesPerRequest: null })

export async function openProducer({ url }) {
  const queue = new Queue(NAME, { connection: connectionOf(url) })
  await queue.waitUntilReady()
  return (data) => queue.add(NAME, data)
}

export async function openWorker({ url, inFlight }, handle) {
  const worker = new Worker(NAME, async (job) => handle(job.data), {
    connection: connectionOf(url),
    concurrency: inFlight,
  })
  await worker.waitUntilReady()
}
