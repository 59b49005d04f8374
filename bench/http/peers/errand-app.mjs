// One app for the REST set, the tRPC set and the cold start: Errand serves both doors from the same record.
import { loadErrand } from '../../errand.mjs'
import { handlers, schemas } from '../contract.mjs'

const { createApp, procedure, z } = await loadErrand()
const { add, order, ping } = schemas(z)
const base = procedure.use(({ next }) => next({ ctx: { role: 'caller' } }))

const procedures = {
  add: base.mutation({ ...add, handler: ({ input }) => handlers.add(input) }),
  sum: base.query({ ...add, handler: ({ input }) => handlers.add(input) }),
  order: base.mutation({ ...order, handler: ({ input }) => handlers.order(input) }),
  ping: base.query({ input: z.void(), output: ping.output, handler: () => handlers.ping() }),
}

export async function start() {
  const app = createApp(procedures, { logger: false, createContext: () => ({ user: 'bench' }) })
  const { url } = await app.listen({ port: 0 })
  return url
}
