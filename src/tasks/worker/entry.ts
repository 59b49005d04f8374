/**
 * What runs in a worker, thread or process: one pool run that lasts as long as the worker. It imports the
 * user's module, says whether that went well, and then serves calls until the host ends it.
 */
import { CallServer } from './call-server.ts'
import { clock } from './lease.ts'
import { openLine, type Line } from './line.ts'
import { fromBatch, toSentError, type FromWorker, type Job, type ToWorker } from './messages.ts'
import { guardAgainstOrphaning } from './orphan-guard.ts'
import { Outbox } from './outbox.ts'
import { enterWorker, findTask, registeredModules } from './registry.ts'

// Held while the pool run lasts. Only the death of the worker ends it.
const forever = new Promise<never>(() => {})

const noApp = (module: string): Error =>
  new Error(
    `${module} was imported, but made no app. ` +
      `Expected it to call createApp(…, { module: import.meta.url }); ` +
      `apps were made for: ${registeredModules().join(', ') || 'no module'}. ` +
      'Pass the URL of the very file that calls createApp at its top level.',
  )

const importApp = async (module: string): Promise<void> => {
  await import(module)
  if (!registeredModules().includes(module)) throw noApp(module)
}

// What the outbox still holds is true whatever kills the worker.
const reportDeath = (outbox: Outbox<FromWorker>): void => {
  process.on('uncaughtExceptionMonitor', (error) => {
    outbox.add({ kind: 'dying', error: toSentError(error) })
    void outbox.flush()
  })
  process.on('exit', () => void outbox.flush())
}

// A terminal and a service manager tell every process of a group. It is the host that then drains, and ends us last.
const leaveSignalsToHost = (): void => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
}

const serve = (job: Job, line: Line, outbox: Outbox<FromWorker>): void => {
  const server = new CallServer((path) => findTask(job.module, path), outbox)
  line.listen((batch) => server.receive(fromBatch<ToWorker>(batch)))
}

/** The pool run. A module that can't be used is reported, not thrown: the host then ends the worker. */
export default async (job: Job): Promise<never> => {
  const line = openLine(job)
  const outbox = new Outbox<FromWorker>(line.post)
  enterWorker()
  if (!job.port) guardAgainstOrphaning(job.host)
  reportDeath(outbox)
  try {
    await importApp(job.module)
    if (!job.port) leaveSignalsToHost()
    serve(job, line, outbox)
    outbox.add({ kind: 'ready', pid: process.pid, clock: clock() })
  } catch (thrown) {
    outbox.add({ kind: 'unusable', error: toSentError(thrown) })
  }
  void outbox.flush()
  return forever
}
