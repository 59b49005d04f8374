/** What a procedure says about itself to readers of its document, and how REST shows it. */

import type { Rate } from './rate.ts'

/** HTTP methods a route can have. */
export type RestMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Replaces the default `POST /{fn}` route. */
export interface RestMeta {
  /** Default `POST`. */
  readonly method?: RestMethod
  /** Path below the prefix; `{id}` takes the input field `id`. Default the dotted path with slashes. */
  readonly path?: string
  /** Input fields that come from elsewhere: `{ token: 'header:x-token', session: 'cookie:sid' }`. */
  readonly in?: Readonly<Record<string, `header:${string}` | `cookie:${string}` | `query:${string}`>>
  /** Success status. Default 200, and 204 for a void output. */
  readonly status?: number
  /** `'form'` also takes `application/x-www-form-urlencoded` and `multipart/form-data`. Default `'json'`. */
  readonly body?: 'json' | 'form'
}

/** Documentation and REST details of a procedure. */
export interface Meta {
  readonly summary?: string
  readonly description?: string
  readonly tags?: readonly string[]
  readonly deprecated?: boolean
  /** Example inputs and outputs, on the wire side. */
  readonly examples?: readonly {
    readonly name?: string
    readonly input?: unknown
    readonly output?: unknown
  }[]
  /** Names of `openapi.securitySchemes`, with their scopes; `[]` makes an operation public. */
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
  /** Largest body in bytes, or as `'10mb'`. Default: the app's. */
  readonly bodyLimit?: number | `${number}${'kb' | 'mb'}`
  /** How often a caller may call it, such as `'5/1m'`, beside the app's own `rateLimit`. */
  readonly rateLimit?: Rate
  readonly rest?: RestMeta
  /** For your own middleware. */
  readonly [key: string]: unknown
}
