/** Serves. With ERRAND_WORK=0 it leaves tasks to others; without callers it is a worker that can be probed. */
import app from './app.ts'

const { url } = await app.listen()
console.log(`listening at ${url}`)
