// The app whose workers run Errand's tasks: one task that does nothing. The store is where ERRAND_DATA says, and is
// written where BENCH_WRITER says.
import { loadErrand } from '../../../errand.mjs'

const { createApp, procedure, local, z } = await loadErrand()
const text = z.object({ n: z.number() })

export const noop = procedure.task({ input: text, output: text, handler: ({ input }) => input })
export default createApp({ noop }, { logger: false, module: import.meta.url, tasks: local({ threads: 2, writer: process.env.BENCH_WRITER ?? 'auto' }) })
