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

const isPretty = ({ to = 'stderr', format }: LogOptions): boolean =>
  format === undefined ? process[to].isTTY : format === 'pretty'

let second = NaN
let upToDot = ''

/** A time as a field of a line: lines of one second share all but its fraction. */
const asField = (time: number): string => {
  const ms = time % 1000
  if (time - ms !== second) {
    second = time - ms
    upToDot = `,"time":"${new Date(second).toISOString().slice(0, -4)}`
  }
  return `${upToDot}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z"`
}

const create = (options: LogOptions, timestamp: () => string, destination: DestinationStream): PinoLogger => {
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
    destination,
  )
}

type Level = 'error' | 'warn' | 'info' | 'debug'

/** Makes lines, one at a time. */
class LineMaker {
  readonly #pino: PinoLogger
  readonly #isPretty: boolean
  #time = 0
  #line = ''

  constructor(options: LogOptions) {
    const write = (line: string): void => void (this.#line = line)
    this.#pino = create(options, () => asField(this.#time), { write })
    this.#isPretty = isPretty(options)
  }

  make(level: Level, fields: object, message: string, time: number): string {
    this.#time = time
    this.#line = ''
    this.#pino[level](fields, message)
    return this.#isPretty ? prettyLine(this.#line) : this.#line
  }
}

const ORDER: readonly Level[] = ['debug', 'info', 'warn', 'error']

/** Made with its first line. */
export const createPinoLogger = (options: LogOptions & { readonly level: Level }): Logger => {
  const { level: lowest, to = 'stderr' } = options
  const least = ORDER.indexOf(lowest)
  let maker: LineMaker | undefined
  const at = (level: Level) => (fields: object, message: string) => {
    const time = Date.now()
    const lines = (open[to] ??= new Lines(to))
    lines.add(() => (maker ??= new LineMaker(options)).make(level, fields, message, time))
  }
  const from = (level: Level) => (ORDER.indexOf(level) < least ? () => undefined : at(level))
  return {
    error: from('error'),
    warn: from('warn'),
    info: from('info'),
    debug: from('debug'),
    isLevelEnabled: (level) => ORDER.indexOf(level as Level) >= least,
  }
}
