// tRPC's own server.
import { createServer } from 'node:http'
import { initTRPC } from '@trpc/server'
import { createHTTPHandler } from '@trpc/server/adapters/standalone'
import { z } from 'zod'
import { handlers, schemas } from '../../contract.mjs'
import { listen } from '../raw-http.mjs'

const { add, order, ping } = schemas(z)
const t = initTRPC.context().create()
const base = t.procedure.use(({ next }) => next({ ctx: { role: 'caller' } }))

const router = t.router({
  add: base
    .input(add.input)
    .output(add.output)
    .mutation(({ input }) => handlers.add(input)),
  sum: base
    .input(add.input)
    .output(add.output)
    .query(({ input }) => handlers.add(input)),
  order: base
    .input(order.input)
    .output(order.output)
    .mutation(({ input }) => handlers.order(input)),
  ping: base.output(ping.output).query(() => handlers.ping()),
})

export const start = () =>
  listen(createServer(createHTTPHandler({ router, basePath: '/trpc/', createContext: () => ({ user: 'bench' }) })))
