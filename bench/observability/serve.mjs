// The app of one mode; it says what CPU time it has used when it is asked.
import pg from 'pg'
import { loadErrand } from '../errand.mjs'
import { declare } from './calls.mjs'
import { modes } from './modes.mjs'

const [mode, database] = process.argv.slice(2)
const { options, prepare } = modes[mode]
prepare?.()
const { createApp, inline, procedure, z } = await loadErrand()

const pool = new pg.Pool({ connectionString: database, max: 8 })
const app = createApp(declare({ procedure, z }, pool), {
  profile: 'production',
  tasks: inline(),
  createContext: ({ headers }) => ({ user: headers.get('x-user') }),
  owner: ({ user }) => user,
  ...options,
})
const { url } = await app.listen({ port: 0, signals: false })

process.on('message', () => process.send(process.cpuUsage()))
process.send(url)
