/**
 * The log by pino: JSON, a line each, or text for people. The only file that has pino, which is loaded with the first
 * line: workers import the app's module too, and log through their host.
 */
import { createRequire } from 'node:module'
import type { DestinationStream, Logger as PinoLogger } from 'pino'
import type { LogOptions, Logger } from './log-options.ts'
import { prettyLine } from './pretty-line.ts'

type Pino = typeof import('pino')

const FILES = { stderr: 2, stdout: 1 } as const

/** An error as a field: of any class, or already data. */
const toError = (thrown: unknown): unknown => {
  if (typeof thrown !== 'object' || thrown === null) return thrown
  const { name, message, stack, code } = thrown as Error & { code?: unknown }
  return { type: name, message, ...(code === undefined ? {} : { code }), stack }
}

const prettyStream = (to: 'stderr' | 'stdout'): DestinationStream => ({
  write: (line) => void process[to].write(prettyLine(line)),
})

/** Bytes that are written at once, however short the time: half of what is written at most. */
const FULL = 8192
/** Milliseconds that a line waits for others: a write costs more than making the line. */
const SOON = 20

/** Lines that come within a moment are written together; what is left is written when the process exits. */
const together = (file: ReturnType<Pino['destination']>): DestinationStream => {
  let timer: NodeJS.Timeout | undefined
  const flush = (): void => {
    timer = undefined
    file.flush()
  }
  return {
    write: (line) => {
      file.write(line)
      timer ??= setTimeout(flush, SOON).unref()
    },
  }
}

const destinationOf = ({ pino }: Pino, { to = 'stderr', format }: LogOptions): DestinationStream => {
  const isPretty = format === undefined ? process[to].isTTY : format === 'pretty'
  return isPretty
    ? prettyStream(to)
    : together(pino.destination({ fd: FILES[to], sync: false, minLength: FULL }))
}

const create = (options: LogOptions): PinoLogger => {
  const library = createRequire(import.meta.url)('pino') as Pino
  const { level = 'info', redact = [] } = options
  return library.pino(
    {
      level,
      base: null,
      formatters: { level: (label) => ({ level: label }) },
      timestamp: library.stdTimeFunctions.isoTime,
      serializers: { err: toError },
      ...(redact.length > 0 ? { redact: { paths: [...redact], censor: '[redacted]' } } : {}),
    },
    destinationOf(library, options),
  )
}

const ORDER = ['debug', 'info', 'warn', 'error']

/** Made with its first line. */
export const createPinoLogger = (options: LogOptions & Required<Pick<LogOptions, 'level'>>): Logger => {
  let made: PinoLogger | undefined
  const least = ORDER.indexOf(options.level)
  const at =
    (level: 'error' | 'warn' | 'info' | 'debug') =>
    (fields: object, message: string): void => {
      if (ORDER.indexOf(level) >= least) (made ??= create(options))[level](fields, message)
    }
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    isLevelEnabled: (level) => ORDER.indexOf(level) >= least,
  }
}
