/** One host: the app behind a server, until it is killed. Says where it serves in one line. */
import app from './app.ts'

const { url } = await app.listen({ port: 0 })
process.stdout.write(`${JSON.stringify({ url })}\n`)
