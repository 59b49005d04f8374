/**
 * Serves a store with many records and tells its parent the url and its memory.
 * Run by many-records.test.ts: node many-records-child.ts <dir>
 */
import { createApp, local, procedure } from 'errand'
import { z } from 'zod'

const task = procedure.task({ input: z.unknown(), output: z.unknown(), runOn: 'inline', handler: () => null })
// What is queued is due in an hour, so nothing runs.
const app = createApp(
  { a: task, b: task },
  { tasks: local({ dir: process.argv[2]! }), profile: 'development' },
)

const { url } = await app.listen({ port: 0 })
process.send?.({ url, megabytes: process.memoryUsage.rss() / 2 ** 20 })
