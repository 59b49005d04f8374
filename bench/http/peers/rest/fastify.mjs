import Fastify from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { handlers, schemas } from '../../contract.mjs'

const { add, order, ping } = schemas(z)

export function start() {
  const app = Fastify()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.decorateRequest('user', null)
  app.decorateRequest('role', null)
  // The context.
  app.addHook('onRequest', async (request) => {
    request.user = 'bench'
  })
  // The middleware.
  app.addHook('preHandler', async (request) => {
    request.role = 'caller'
  })
  app.post('/add', { schema: { body: add.input, response: { 200: add.output } } }, async (request) =>
    handlers.add(request.body),
  )
  app.post('/order', { schema: { body: order.input, response: { 200: order.output } } }, async (request) =>
    handlers.order(request.body),
  )
  app.get('/ping', { schema: { response: { 200: ping.output } } }, async () => handlers.ping())
  return app.listen({ port: 0, host: '127.0.0.1' })
}
