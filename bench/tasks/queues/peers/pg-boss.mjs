import { PgBoss } from 'pg-boss'

const NAME = 'noop'

// Told of each task, it does best one at a time; polling for full batches, when there are many.
const isOneByOne = ({ inFlight }) => inFlight === 1

async function open(settings) {
  const boss = new PgBoss({
    connectionString: settings.url,
    max: 20,
    useListenNotify: isOneByOne(settings),
    supervise: false,
    schedule: false,
  })
  boss.on('error', (error) => console.error(error))
  await boss.start()
  await boss.createQueue(NAME, { notify: isOneByOne(settings) })
  return boss
}

export async function openProducer(settings) {
  const boss = await open(settings)
  return (data) => boss.send(NAME, data)
}

export async function openWorker(settings, handle) {
  const boss = await open(settings)
  const options = isOneByOne(settings)
    ? { batchSize: 10, burstWhenBatchFull: true }
    : { batchSize: settings.inFlight, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true }
  await boss.work(NAME, options, async (jobs) => {
    for (const job of jobs) handle(job.data)
  })
}
