// The floor of the tRPC wire: what one would write by hand for these procedures. Its bodies equal the standalone
// adapter's byte for byte, which the check proves.
import { createServer } from 'node:http'
import { z } from 'zod'
import { handlers, schemas } from '../../contract.mjs'
import { listen, readJson, sendJson } from '../raw-http.mjs'

const { add, order, ping } = schemas(z)

const procedures = {
  add: { ...add, method: 'POST', handler: handlers.add },
  sum: { ...add, method: 'GET', handler: handlers.add },
  order: { ...order, method: 'POST', handler: handlers.order },
  ping: { ...ping, method: 'GET', handler: handlers.ping },
}

const codes = {
  BAD_REQUEST: { code: -32600, status: 400 },
  NOT_FOUND: { code: -32004, status: 404 },
  METHOD_NOT_SUPPORTED: { code: -32005, status: 405 },
  INTERNAL_SERVER_ERROR: { code: -32603, status: 500 },
}

export const start = () => listen(createServer(answer))

function answer(req, res) {
  const call = readCall(req.url)
  if (req.method === 'GET') return reply(res, req.method, call, call.input && JSON.parse(call.input))
  readJson(req, (error, value) => {
    if (error) return sendJson(res, 400, fail('BAD_REQUEST', error.message, call.names[0]))
    reply(res, req.method, call, value)
  })
}

/** `/trpc/a,b?batch=1&input=…` as `{ names, batch, input }`. */
function readCall(url) {
  const mark = url.indexOf('?')
  const names = (mark < 0 ? url : url.slice(0, mark)).slice('/trpc/'.length).split(',')
  if (mark < 0) return { names, batch: false, input: undefined }
  const query = new URLSearchParams(url.slice(mark + 1))
  return { names, batch: query.get('batch') === '1', input: query.get('input') ?? undefined }
}

function reply(res, method, { names, batch }, input) {
  if (!batch) {
    const result = call(method, names[0], input)
    return sendJson(res, statusOf(result), result)
  }
  const results = names.map((name, i) => call(method, name, input?.[i]))
  const statuses = new Set(results.map(statusOf))
  sendJson(res, statuses.size === 1 ? statuses.values().next().value : 207, results)
}

const statusOf = (result) => result.error?.data.httpStatus ?? 200

function call(method, name, value) {
  const procedure = procedures[name]
  if (!procedure) return fail('NOT_FOUND', `No procedure found on path "${name}"`, name)
  if (procedure.method !== method) return fail('METHOD_NOT_SUPPORTED', 'Wrong method', name)
  const input = procedure.input?.safeParse(value)
  if (input?.success === false) return fail('BAD_REQUEST', input.error.message, name)
  const output = procedure.output.safeParse(procedure.handler(input?.data))
  if (!output.success) return fail('INTERNAL_SERVER_ERROR', 'Output validation failed', name)
  return { result: { data: output.data } }
}

function fail(key, message, path) {
  const { code, status } = codes[key]
  return { error: { message, code, data: { code: key, httpStatus: status, path } } }
}
