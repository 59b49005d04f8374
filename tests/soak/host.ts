/** One process of the app, until a signal ends it. Says where it serves in one line, and that it drains on standard error. */
import app from './app.ts'

process.on('warning', ({ name, message }) => process.stderr.write(`warning: ${name}: ${message}\n`))

const { url } = await app.listen({
  port: 0,
  signals: (signal) => process.stderr.write(`closing on ${signal}\n`),
})
process.stdout.write(`${JSON.stringify({ url })}\n`)
