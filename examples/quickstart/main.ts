/** Serves the quickstart. `PORT` chooses the port, `ERRAND_DATA` where tasks are kept. */
import app from './app.ts'

const server = await app.listen({ port: Number(process.env['PORT'] ?? 3000) })

console.log(`
  Errand quickstart     ${server.url}
  API reference         ${server.url}/docs

  Try:
    curl -X POST ${server.url}/add -H 'content-type: application/json' -d '{"a":1,"b":2}'
    curl -X POST '${server.url}/countPrimes?async=true' -H 'content-type: application/json' -d '{"below":5000000}'
    curl ${server.url}/tasks
`)
