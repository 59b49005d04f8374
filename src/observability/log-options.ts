/** What a log is to an app: a logger, or how to make one. */

/** Where everything that Errand has to say goes; a pino logger fits. */
export interface Logger {
  error(fields: object, message: string): void
  warn(fields: object, message: string): void
  info(fields: object, message: string): void
  debug?(fields: object, message: string): void
  /** Asked before a line is made that may not be wanted. Without it all are. */
  isLevelEnabled?(level: string): boolean
}

/** How much is said. */
export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug'

/** The log that is there when no logger is given. */
export interface LogOptions {
  /** Default `'info'`; `'warn'` in the test profile. */
  readonly level?: LogLevel
  /** `'pretty'` for people, `'json'` for programs. Default: pretty in a terminal. */
  readonly format?: 'pretty' | 'json'
  /** Default `'stderr'`: what a command prints stays its own. */
  readonly to?: 'stderr' | 'stdout'
  /** Paths of fields that are not shown, as pino's `redact` has them (`'user.email'`, `'*.iban'`), besides the names that never are. */
  readonly redact?: readonly string[]
}
