/** The log of an app: whose it is, and how much goes into it. One for everything that Errand says. */
import type { BaseProfile } from '../config/profiles.ts'
import type { Logger, LogLevel, LogOptions } from './log-options.ts'
import { createPinoLogger } from './pino-logger.ts'

export type { Logger, LogLevel, LogOptions }

const none = (): void => undefined

const SILENT: Logger = { error: none, warn: none, info: none, debug: none, isLevelEnabled: () => false }

/** Whether this is a logger, rather than how to make one. */
export const isLogger = (option: unknown): option is Logger =>
  typeof option === 'object' && option !== null && 'error' in option && typeof option.error === 'function'

/** The logger that an app's option stands for. */
export const toLogger = (option: Logger | LogOptions | false | undefined, profile: BaseProfile): Logger => {
  if (option === false) return SILENT
  if (option !== undefined && isLogger(option)) return option
  const { level = profile === 'test' ? 'warn' : 'info', ...rest } = option ?? {}
  return level === 'silent' ? SILENT : createPinoLogger({ level, ...rest })
}

/** Whether lines of a level go anywhere. */
export const wants = (logger: Logger, level: LogLevel): boolean => logger.isLevelEnabled?.(level) ?? true
