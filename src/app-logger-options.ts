/** The option `logger` of `createApp`, checked. */
import { oneOf, optionProblems, type Rules } from './config/option-rules.ts'
import { isLogger, type LogOptions } from './observability/logger.ts'

/** What makes a log. */
export const LOG_RULES: Rules<LogOptions> = {
  level: oneOf('silent', 'error', 'warn', 'info', 'debug'),
  format: oneOf('pretty', 'json'),
  to: oneOf('stderr', 'stdout'),
  redact: {
    holds: (value) => Array.isArray(value) && value.every((path) => typeof path === 'string' && path !== ''),
    expected: "a list of paths of fields, such as ['user.email', '*.iban']",
  },
}

const LEVELS = ['error', 'warn', 'info'] as const

/** What is wrong with it, in sentences. */
export const loggerProblems = (option: unknown): string[] => {
  if (option === undefined || option === false) return []
  if (typeof option !== 'object' || option === null)
    return [`logger is ${JSON.stringify(option)}, expected a logger, { level: 'debug' }, or false`]
  if (!isLogger(option)) return optionProblems(option, LOG_RULES, 'logger.')
  const methods = option as unknown as Record<string, unknown>
  return LEVELS.filter((level) => typeof methods[level] !== 'function').map(
    (level) => `logger has no method ${level}(fields, message), expected a logger such as pino's`,
  )
}
