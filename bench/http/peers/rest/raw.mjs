// The floor: node:http, JSON and zod, nothing else. Input and output are validated as in every peer.
import { createServer } from 'node:http'
import { z } from 'zod'
import { handlers, schemas } from '../../contract.mjs'
import { listen, readJson, sendJson } from '../raw-http.mjs'

const { add, order, ping } = schemas(z)

const routes = {
  'POST /add': { ...add, handler: handlers.add },
  'POST /order': { ...order, handler: handlers.order },
  'GET /ping': { ...ping, handler: handlers.ping },
}

export const start = () => listen(createServer(answer))

function answer(req, res) {
  const route = routes[`${req.method} ${req.url}`]
  if (!route) return sendJson(res, 404, { title: 'Not found', status: 404 })
  if (!route.input) return run(res, route)
  readJson(req, (error, value) => {
    if (error) return sendJson(res, 400, { title: 'Malformed JSON', status: 400 })
    const parsed = route.input.safeParse(value)
    if (!parsed.success) return sendJson(res, 400, { title: 'Invalid input', status: 400, issues: parsed.error.issues })
    run(res, route, parsed.data)
  })
}

function run(res, route, input) {
  const output = route.output.safeParse(route.handler(input))
  if (!output.success) return sendJson(res, 500, { title: 'Invalid output', status: 500 })
  sendJson(res, 200, output.data)
}
