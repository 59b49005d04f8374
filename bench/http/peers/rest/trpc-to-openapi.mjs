import { createServer } from 'node:http'
import { initTRPC } from '@trpc/server'
import { createOpenApiHttpHandler } from 'trpc-to-openapi'
import { z } from 'zod'
import { handlers, schemas } from '../../contract.mjs'
import { listen } from '../raw-http.mjs'

const { add, order, ping } = schemas(z)
const t = initTRPC.context().meta().create()
const base = t.procedure.use(({ next }) => next({ ctx: { role: 'caller' } }))
const rest = (method, path) => base.meta({ openapi: { method, path } })

const router = t.router({
  add: rest('POST', '/add')
    .input(add.input)
    .output(add.output)
    .mutation(({ input }) => handlers.add(input)),
  order: rest('POST', '/order')
    .input(order.input)
    .output(order.output)
    .mutation(({ input }) => handlers.order(input)),
  ping: rest('GET', '/ping')
    .output(ping.output)
    .query(() => handlers.ping()),
})

export const start = () =>
  listen(createServer(createOpenApiHttpHandler({ router, createContext: () => ({ user: 'bench' }) })))
