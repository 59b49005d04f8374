// An app with many tasks behind it: most succeeded, few failed, and a line that only moves when one ends.
import { loadErrand } from '../../errand.mjs'

const { createApp, procedure, local, ProcedureError, z } = await loadErrand()
const input = z.object({ n: z.number(), text: z.string() })

/** Ends at once, and gives back what it got. */
export const echo = procedure.task({ input, output: input, handler: ({ input: given }) => given })

/** Fails at once. */
export const fail = procedure.task({
  input,
  output: z.void(),
  handler: () => {
    throw new ProcedureError('NOT_FOUND', 'There is nothing here')
  },
})

/** Never ends by itself, so that those behind it stay in line. */
export const wait = procedure.task({
  input,
  output: z.void(),
  concurrency: 1,
  cancelGrace: 100,
  handler: ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve)),
})

const logger = { debug() {}, info() {}, warn: console.warn, error() {} } // of thousands of failures on purpose
export default createApp(
  { echo, fail, wait },
  { module: import.meta.url, logger, tasks: local({ threads: 2, drainGrace: 0 }) },
)
