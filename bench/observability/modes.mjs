// What is measured, each in a process of its own: against `off`. `again` is `off` once more, so that what it differs by is
// noise. Spans go to an exporter that drops them: what sending costs is the exporter's.
import { createRequire } from 'node:module'
import { root } from '../errand.mjs'

const log = { logger: { to: 'stderr', format: 'json' } }

/** An SDK as a service has it: spans in batches, of so many of all traces. */
const trace = (share) => {
  const { BatchSpanProcessor, NodeTracerProvider, ParentBasedSampler, TraceIdRatioBasedSampler } = createRequire(root)(
    '@opentelemetry/sdk-trace-node',
  )
  const exporter = { export: (_spans, done) => done({ code: 0 }), shutdown: async () => {} }
  new NodeTracerProvider({
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  }).register()
}

export const modes = {
  off: { options: { logger: false } },
  again: { options: { logger: false } },
  logs: { options: log },
  metrics: { options: { logger: false, metrics: true } },
  '10 % of traces': { options: { logger: false }, prepare: () => trace(0.1) },
  'logs + metrics + 10 % of traces': { options: { ...log, metrics: true }, prepare: () => trace(0.1) },
  'logs + metrics + all traces': { options: { ...log, metrics: true }, prepare: () => trace(1) },
}
