/** The one file that loads prom-client, which keeps what is counted and writes it for Prometheus. */
import { createRequire } from 'node:module'

export type { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** All that it exports. */
export type PromClient = typeof import('prom-client')

const require = createRequire(import.meta.url)

/**
 * Without waiting, as an app is made: whatever is called after that is counted.
 * @throws Error with the line that installs it, where it is missing
 */
export const loadPromClient = (): PromClient => {
  try {
    return require('prom-client') as PromClient
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    throw new Error(
      'metrics need the package prom-client, which this project lacks: npm install prom-client',
      {
        cause: error,
      },
    )
  }
}
