import { createServer } from 'node:http'
import { OpenAPIHandler } from '@orpc/openapi/node'
import { os } from '@orpc/server'
import { z } from 'zod'
import { handlers, schemas } from '../../contract.mjs'
import { listen } from '../raw-http.mjs'

const { add, order, ping } = schemas(z)
const base = os.$context().use(({ next }) => next({ context: { role: 'caller' } }))
const post = (path, { input, output }, handler) =>
  base
    .route({ method: 'POST', path })
    .input(input)
    .output(output)
    .handler(({ input }) => handler(input))

const router = {
  add: post('/add', add, handlers.add),
  order: post('/order', order, handlers.order),
  ping: base
    .route({ method: 'GET', path: '/ping' })
    .output(ping.output)
    .handler(() => handlers.ping()),
}

export function start() {
  const handler = new OpenAPIHandler(router)
  return listen(
    createServer(async (req, res) => {
      const { matched } = await handler.handle(req, res, { context: { user: 'bench' } })
      if (!matched) res.writeHead(404).end()
    }),
  )
}
