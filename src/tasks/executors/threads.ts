/** Attempts in worker threads: quick to start and to reach; a busy loop in one leaves the event loop free. */
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import type { Executor } from '../executor.ts'
import { ENTRY } from './entry-url.ts'
import { threadArgv } from './exec-argv.ts'
import { WorkerPool } from './pool.ts'
import type { Link, Runtime, WorkerOptions } from './runtime.ts'

const openLink = (): Link => {
  const { port1: port, port2 } = new MessageChannel()
  let receive: (batch: string) => void = () => {}
  return {
    job: { port: port2 },
    runOptions: { filename: ENTRY, transferList: [port2] },
    post: (batch) => port.postMessage(batch),
    listen(listener) {
      receive = listener
      port.on('message', listener)
    },
    drain() {
      for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port))
        receive(next.message as string)
    },
    close: () => port.close(),
  }
}

const toRuntime = ({ env, memoryLimit, execArgv }: WorkerOptions): Runtime => {
  const argv = threadArgv(execArgv)
  return {
    name: 'threads',
    poolOptions: {
      runtime: 'worker_threads',
      ...(argv ? { execArgv: argv } : {}),
      env: { ...(process.env as Record<string, string>), ...env },
      ...(memoryLimit ? { resourceLimits: { maxOldGenerationSizeMb: memoryLimit } } : {}),
    },
    openLink,
    // Ending the pool's run is enough: a thread can be ended anywhere.
    end: () => {},
  }
}

/** An executor on worker threads. */
export const createThreads = (options: WorkerOptions): Executor => new WorkerPool(toRuntime(options), options)
