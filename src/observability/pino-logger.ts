/**
 * The log by pino: JSON, a line each, or text for people. The only file that has pino, which is loaded with the first
 * line: workers import the app's module too, and log through their host.
 */
import { createRequire } from 'node:module'
import type { DestinationStream, Logger as PinoLogger } from 'pino'
import type { LogOptions, Logger } from './log-options.ts'
import { Lines } from './lines.ts'
import { prettyLine } from './pretty-line.ts'

type Pino = typeof import('pino')

const open: { stderr?: Lines; stdout?: Lines } = {}

/** An error as a field: of any class, or already data. */
const toError = (thrown: unknown): unknown => {
  if (typeof thrown !== 'object' || thrown === null) return thrown
  const { name, message, stack, code } = thrown as Error & { code?: unknown }
  return { type: name, message, ...(code === undefined ? {} : { code }), stack }
}

const destinationOf = ({ to = 'stderr', format }: LogOptions): DestinationStream => {
  const lines = (open[to] ??= new Lines(to))
  const isPretty = format === undefined ? process[to].isTTY : format === 'pretty'
  return isPretty ? { write: (line) => lines.write(prettyLine(line)) } : lines
}

let second = NaN
let upToDot = ''

/** The time as a field of a line: lines of one second share all but its fraction. */
const timestamp = (): string => {
  const now = Date.now()
  const ms = now % 1000
  if (now - ms !== second) {
    second = now - ms
    upToDot = `,"time":"${new Date(second).toISOString().slice(0, -4)}`
  }
  return `${upToDot}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z"`
}

const create = (options: LogOptions): PinoLogger => {
  const library = createRequire(import.meta.url)('pino') as Pino
  const { level = 'info', redact = [] } = options
  return library.pino(
    {
      level,
      base: null,
      formatters: { level: (label) => ({ level: label }) },
      timestamp,
      serializers: { err: toError },
      ...(redact.length > 0 ? { redact: { paths: [...redact], censor: '[redacted]' } } : {}),
    },
    destinationOf(options),
  )
}

const ORDER = ['debug', 'info', 'warn', 'error']

/** Made with its first line. */
export const createPinoLogger = (options: LogOptions & Required<Pick<LogOptions, 'level'>>): Logger => {
  let made: PinoLogger | undefined
  const least = ORDER.indexOf(options.level)
  const at = (level: 'error' | 'warn' | 'info' | 'debug') =>
    ORDER.indexOf(level) < least
      ? () => undefined
      : (fields: object, message: string): void => (made ??= create(options))[level](fields, message)
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    isLevelEnabled: (level) => ORDER.indexOf(level) >= least,
  }
}
