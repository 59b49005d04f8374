/**
 * Serves the procedures of `work.ts` in a process of its own, and says where: with `DATABASE_URL` their tasks live in
 * Postgres with pgmq, without it in a file.
 */
import { createApp, local } from 'errand'
import { pgmq } from 'errand/pgmq'
import { module, procedures } from './work.ts'

const connection = process.env['DATABASE_URL']
const sizes = { threads: 2, processes: 1 }
const tasks = connection ? pgmq({ connection, ...sizes }) : local(sizes)

const app = createApp(procedures, { module, profile: 'test', tasks })
const { url } = await app.listen({ port: 0 })
process.once('SIGTERM', () => void app.close())
console.log(url)
