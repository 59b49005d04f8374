/** What is asked of the process that runs hey-api. */
import type { ClientOptions } from './client-options.ts'
import type { Peers } from './peers.ts'

/** Crosses to the process as JSON. */
export interface HeyApiJob {
  readonly peers: Peers
  /** The document's file. */
  readonly input: string
  /** The folder to generate into. */
  readonly output: string
  /** Where the server is, unless the caller of the client says so. */
  readonly baseUrl: string | false
  readonly client: ClientOptions
}
