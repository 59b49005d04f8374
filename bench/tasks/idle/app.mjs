// A task for each kind of worker.
import { loadErrand } from '../../errand.mjs'

const { createApp, procedure, local, z } = await loadErrand()
const noop = (runOn) =>
  procedure.task({ input: z.void(), output: z.string(), runOn, handler: () => runOn })

export default createApp(
  { threads: noop('threads'), processes: noop('processes') },
  { logger: false, module: import.meta.url, tasks: local({ threads: 2, processes: 2 }) },
)
