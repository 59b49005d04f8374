/** The types of a configuration file, and of profiles. What they may say is data, in `app-settings.ts`. */
import type { ListenOptions } from './adapters/listen.ts'
import type { LimitOptions } from './config/limits.ts'
import type { LogOptions } from './observability/log-options.ts'
import type { Meta } from './procedures/meta.ts'
import type { Rate } from './procedures/rate.ts'
import type { MetricsOptions } from './app-metrics-options.ts'
import type { DocumentOptions } from './openapi/document.ts'
import type { CorsOptions } from './router/cors.ts'
import type { LocalOptions } from './tasks/engines/local.ts'

/** Where Errand's own routes are; `false` turns one off. Paths are below the prefix, but for the probes. */
export interface RouteOptions {
  /** Default `/tasks`. */
  readonly tasks?: string | false
  /** Default `/docs`. */
  readonly docs?: string | false
  /** Default `/openapi.json`. */
  readonly openapi?: string | false
  /** Default `/trpc`. */
  readonly trpc?: string | false
  /** Default `/healthz`. */
  readonly healthz?: string | false
  /** Default `/readyz`. */
  readonly readyz?: string | false
  /** Default `/metrics`, where there are `metrics`. */
  readonly metrics?: string | false
}

/** What can be said of an app outside its code. */
export interface Settings {
  /** What `app.listen()` is not told. */
  readonly listen?: Pick<ListenOptions, 'port' | 'host' | 'work' | 'drainDelay'> & {
    readonly signals?: boolean
  }
  readonly prefix?: string
  readonly routes?: RouteOptions
  readonly cors?: boolean | (Omit<CorsOptions, 'origin'> & { readonly origin?: string | readonly string[] })
  readonly bodyLimit?: NonNullable<Meta['bodyLimit']>
  readonly limits?: LimitOptions
  readonly rateLimit?: Rate | { readonly limit?: Rate; readonly store?: string }
  readonly trustProxy?: number
  readonly metrics?: boolean | Omit<MetricsOptions, 'registry'>
  /** What the engine is not told. What is for other engines does nothing. */
  readonly tasks?: Omit<LocalOptions, 'store'> & {
    /** Of `local()`. */
    readonly store?: string
    /** Of `bullmq()` and `pgmq()`. */
    readonly connection?: string
  }
  /** Of the log that is there where code gives no logger. */
  readonly logger?: LogOptions
  readonly openapi?: Pick<DocumentOptions, 'title' | 'version' | 'description' | 'servers'>
}

/** A profile: settings, on top of those of another. */
export interface ProfileSettings extends Settings {
  /** Default `production`, which leaves nothing open. */
  readonly extends?: string
}

/** What a configuration file says. */
export interface Config extends Settings {
  /** The profile in force, where neither code nor environment chooses one. */
  readonly profile?: string
  readonly profiles?: Readonly<Record<string, ProfileSettings>>
}

/**
 * For types in `errand.config.ts`; gives back what it gets.
 *
 * @example export default defineConfig({ limits: { connections: 500 }, profiles: { staging: { cors: true } } })
 */
export const defineConfig = (config: Config): Config => config
