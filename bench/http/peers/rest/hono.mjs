import { serve } from '@hono/node-server'
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { handlers, schemas } from '../../contract.mjs'

const { add, order, ping } = schemas(z)
const content = (schema) => ({ 'application/json': { schema } })
const route = (method, path, { input, output }) =>
  createRoute({
    method,
    path,
    ...(input && { request: { body: { content: content(input), required: true } } }),
    responses: { 200: { description: 'OK', content: content(output) } },
  })

export function start() {
  const app = new OpenAPIHono()
  // The context.
  app.use(async (c, next) => {
    c.set('user', 'bench')
    await next()
  })
  // The middleware.
  app.use(async (c, next) => {
    c.set('role', 'caller')
    await next()
  })
  // @hono/zod-openapi never validates a response, hence the parse by hand.
  app.openapi(route('post', '/add', add), (c) => c.json(add.output.parse(handlers.add(c.req.valid('json')))))
  app.openapi(route('post', '/order', order), (c) => c.json(order.output.parse(handlers.order(c.req.valid('json')))))
  app.openapi(route('get', '/ping', ping), (c) => c.json(ping.output.parse(handlers.ping())))
  app.onError((_error, c) => c.json({ title: 'Internal error' }, 500)) // the default one prints to stderr
  return new Promise((resolve) =>
    serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => resolve(`http://127.0.0.1:${port}`)),
  )
}
