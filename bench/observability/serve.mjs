// The app of one mode; it says what CPU time it has used when it is asked.
import { loadErrand } from '../errand.mjs'
import { modes } from './modes.mjs'

const { options, prepare } = modes[process.argv[2]]
prepare?.()
const { createApp, inline, procedure, z } = await loadErrand()

const add = procedure.mutation({
  input: z.object({ a: z.number(), b: z.number() }),
  output: z.object({ sum: z.number() }),
  handler: ({ input }) => ({ sum: input.a + input.b }),
})

const Order = z.object({ items: z.array(z.object({ sku: z.string(), title: z.string(), count: z.int(), price: z.number() })) })
const order = procedure.mutation({ input: Order, output: Order, handler: ({ input }) => input })

const app = createApp(
  { add, order },
  {
    profile: 'production',
    tasks: inline(),
    createContext: ({ headers }) => ({ user: headers.get('x-user') }),
    owner: ({ user }) => user,
    ...options,
  },
)
const { url } = await app.listen({ port: 0, signals: false })
// The event loop is measured from the first scrape on.
if (options.metrics) await fetch(`${url}/metrics`)

process.on('message', () => process.send(process.cpuUsage()))
process.send(url)
