/**
 * OpenTelemetry's API and SDK as CommonJS, which is what Node gives everybody: by the conditions that vitest resolves with
 * it would be modules without endings in their imports, which Node can't load.
 */
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

export const { context, trace } = require('@opentelemetry/api') as typeof import('@opentelemetry/api')

export const { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } =
  require('@opentelemetry/sdk-trace-node') as typeof import('@opentelemetry/sdk-trace-node')

export type { ReadableSpan } from '@opentelemetry/sdk-trace-node'
