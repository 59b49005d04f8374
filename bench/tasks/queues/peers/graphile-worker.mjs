import { Logger, makeWorkerUtils, run } from 'graphile-worker'

const NAME = 'noop'
const logger = new Logger(() => () => {})
const maxPoolSize = 20

export async function openProducer({ url }) {
  const utils = await makeWorkerUtils({ connectionString: url, maxPoolSize, logger })
  return (data) => utils.addJob(NAME, data)
}

/** `localQueue`: fetches many at once and writes completions together, as its guide on performance advises. */
export async function openWorker({ url, inFlight, localQueue }, handle) {
  const batches = { localQueue: { size: Math.max(inFlight, 10) }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }
  await run({
    connectionString: url,
    concurrency: inFlight,
    maxPoolSize,
    noHandleSignals: true,
    logger,
    taskList: { [NAME]: async (data) => handle(data) },
    ...(localQueue ? { preset: { worker: batches } } : {}),
  })
}
