/** A line of the log for people at a terminal. */
import { inspect, styleText } from 'node:util'

const COLORS = { debug: 'gray', info: 'green', warn: 'yellow', error: 'red' } as const

type Level = keyof typeof COLORS

interface Line {
  readonly level: Level
  readonly time: string
  readonly msg?: string
  readonly err?: { readonly stack?: string }
  readonly [field: string]: unknown
}

/** What callers send may be in a line: it must not move the cursor or clear the screen. */
const shown = (text: string): string =>
  text.replace(/\p{Cc}/gu, (character) =>
    character === '\n' || character === '\t' ? character : inspect(character).slice(1, -1),
  )

const inWords = (value: unknown): string =>
  shown(typeof value === 'string' ? value : inspect(value, { depth: 4 }))

/** Text with a line break at its end. */
export const prettyLine = (json: string): string => {
  const { level, time, msg = '', err, ...fields } = JSON.parse(json) as Line
  const clock = styleText('gray', time.slice(11, -1))
  const label = styleText(COLORS[level], level.toUpperCase().padEnd(5))
  const rest = Object.entries(fields).map(([name, value]) => styleText('gray', ` ${name}=`) + inWords(value))
  const stack = err ? `\n${styleText('gray', err.stack === undefined ? inWords(err) : shown(err.stack))}` : ''
  return `${clock} ${label} ${shown(msg)}${rest.join('')}${stack}\n`
}
