// One process with an app for each mode, side by side; it says what CPU time it has used when it is asked.
import { loadErrand } from '../errand.mjs'
import { modes } from './modes.mjs'

const { createApp, inline, procedure, z } = await loadErrand()

const add = procedure.mutation({
  input: z.object({ a: z.number(), b: z.number() }),
  output: z.object({ sum: z.number() }),
  handler: ({ input }) => ({ sum: input.a + input.b }),
})

const urls = {}
for (const [name, { options, prepare }] of Object.entries(modes)) {
  await prepare?.()
  const common = {
    profile: 'production',
    tasks: inline(),
    createContext: ({ headers }) => ({ user: headers.get('x-user') }),
    owner: ({ user }) => user,
  }
  const app = createApp({ add }, { ...common, ...options })
  urls[name] = (await app.listen({ port: 0, signals: false })).url
}

process.on('message', (what) => process.send(what === 'urls' ? urls : process.cpuUsage()))
process.send('ready')
