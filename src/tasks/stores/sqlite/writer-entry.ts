/** The thread that writes to a store: opens it, answers each order, and ends after `close`. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { toFailure } from './failures.ts'
import { toAnswer, type Answer, type Order } from './writer-messages.ts'
import { openWriter, type SqliteWriter } from './writer.ts'

/** An answer in any case: whoever waits for it must not wait for ever. */
const answerTo = (work: () => Answer): Answer => {
  try {
    return work()
  } catch (error) {
    return { ok: false, failure: toFailure(error) }
  }
}

const carryOut = (writer: SqliteWriter, order: Order): Answer => {
  if (order !== 'close') return toAnswer(writer.commit(order))
  writer.close()
  return toAnswer([])
}

const serve = (port: MessagePort, writer: SqliteWriter): void => {
  port.on('message', (order: Order) => {
    port.postMessage(answerTo(() => carryOut(writer, order)))
    if (order === 'close') port.close()
  })
  port.postMessage(toAnswer([]))
}

const port = parentPort as MessagePort // This file is only ever started as a thread.
try {
  serve(port, await openWriter(workerData as string))
} catch (error) {
  port.postMessage({ ok: false, failure: toFailure(error) } satisfies Answer)
}
