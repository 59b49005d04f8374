// The requests of each workload, and what a right answer to them is.
import { handlers, validOrder } from './contract.mjs'

const json = (value) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
})
const get = { method: 'GET', headers: {} }
const valid = { a: 1, b: 2 }
const invalid = { a: 'one', b: 2 }

const sumQuery = encodeURIComponent(JSON.stringify(valid))
const batchOf = (count) => {
  const numbers = Array.from({ length: count }, (_, i) => ({ a: i, b: 1 }))
  return {
    path: `/trpc/${numbers.map(() => 'sum').join(',')}?batch=1&input=${encodeURIComponent(JSON.stringify({ ...numbers }))}`,
    answers: numbers.map(handlers.add),
  }
}
const batch = batchOf(10)
const result = (data) => ({ result: { data } })
const isBadRequest = (body) =>
  body?.error?.code === -32600 &&
  body.error.data.code === 'BAD_REQUEST' &&
  body.error.data.httpStatus === 400 &&
  body.error.data.path === 'add'

/** `answer` is the exact body; `accepts` judges where frameworks word it differently. */
export const workloads = {
  rest: {
    W1: { title: 'POST add', path: '/add', ...json(valid), status: 200, answer: handlers.add(valid) },
    W2: { title: 'POST order', path: '/order', ...json(validOrder), status: 200, answer: handlers.order(validOrder) },
    W3: { title: 'GET ping', path: '/ping', ...get, status: 200, answer: handlers.ping() },
    W4: {
      title: 'invalid add',
      path: '/add',
      ...json(invalid),
      status: 400,
      accepts: (body) => body !== null && typeof body === 'object',
    },
  },
  trpc: {
    T1: { title: 'mutation add', path: '/trpc/add', ...json(valid), status: 200, answer: result(handlers.add(valid)) },
    T2: {
      title: 'mutation order',
      path: '/trpc/order',
      ...json(validOrder),
      status: 200,
      answer: result(handlers.order(validOrder)),
    },
    T3: {
      title: 'query ?input=',
      path: `/trpc/sum?input=${sumQuery}`,
      ...get,
      status: 200,
      answer: result(handlers.add(valid)),
    },
    T4: { title: '10 queries, 1 batch', path: batch.path, ...get, status: 200, answer: batch.answers.map(result) },
    T5: { title: 'invalid add', path: '/trpc/add', ...json(invalid), status: 400, accepts: isBadRequest },
  },
}

export const peers = {
  rest: ['raw', 'raw-again', 'fastify', 'hono', 'orpc', 'trpc-to-openapi', 'errand'],
  trpc: ['raw-trpc', 'raw-trpc-again', 'standalone', 'errand-trpc'],
}

/** What the others are divided by; the first is the one used for the rest of the report. */
export const baselines = { rest: ['raw'], trpc: ['raw-trpc', 'standalone'] }
