/** What is asked of `pg`, by its shape: a pool of the user's may be any that fits, of any version. */

/** What a statement gives back. */
export interface PgResult {
  readonly rows: readonly unknown[]
}

/** A parameter. Lists are texts in Postgres's own form, see `arrays.ts`. */
export type Value = string | number | boolean | null

/** A statement with a name. */
export interface PgStatement {
  readonly name: string
  readonly text: string
  readonly values: unknown[]
}

/** A connection. */
export interface PgClient {
  query(text: string, values?: unknown[]): Promise<PgResult>
  /** Prepared under its name, once for each connection. */
  query(statement: PgStatement): Promise<PgResult>
  on(event: 'error', listener: (error: Error) => void): unknown
  removeListener(event: 'error', listener: (error: Error) => void): unknown
}

/** A connection on loan from a pool. */
export interface PgPoolClient extends PgClient {
  /** Takes statements while others are under way. */
  readonly pipeline?: boolean
  /** With `true` it is closed. */
  release(destroy?: boolean): void
}

/** A pool of connections, such as `new pg.Pool(…)`. */
export interface PgPool {
  readonly options?: { readonly max?: number | undefined }
  connect(): Promise<PgPoolClient>
  on(event: 'connect', listener: (client: PgPoolClient) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  removeListener(event: 'error', listener: (error: Error) => void): unknown
  end(): Promise<void>
}

/** A connection that hears notifications. */
export interface PgListener {
  query(text: string): Promise<unknown>
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'end', listener: () => void): unknown
  on(event: 'notification', listener: (message: PgNotification) => void): unknown
}

/** A connection of its own. */
export interface PgSingleClient extends PgListener {
  connect(): Promise<unknown>
  end(): Promise<void>
}

/** A notification as `pg` gives it. */
export interface PgNotification {
  readonly channel: string
  readonly payload?: string | undefined
}

/** How to connect, as `pg` takes it: `connectionString`, `host`, `port`, `user`, `password`, `database`, `ssl`, `max`, … */
export interface PgConfig {
  readonly connectionString?: string | undefined
  readonly [option: string]: unknown
}
