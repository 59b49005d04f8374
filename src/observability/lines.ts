/**
 * Lines on their way to standard error or output: those of a moment go together, for a write costs more than making a line.
 * What is left is written when the process exits.
 */
import { Console } from 'node:console'

/** Characters that are written at once, however short the time. */
const FULL = 65_536
/** Milliseconds that a line waits for others. */
const SOON = 20

/** One for each stream, however many apps log. */
export class Lines {
  readonly #console: Console
  #text = ''
  #timer: NodeJS.Timeout | undefined

  constructor(to: 'stderr' | 'stdout') {
    // A reader that is gone must not end the process: a console goes on without one.
    this.#console = new Console({ stdout: process[to], ignoreErrors: true })
    process.on('exit', () => this.#flush())
  }

  /** Takes whole lines. */
  write(line: string): void {
    this.#text += line
    if (this.#text.length > FULL) this.#flush()
    else this.#timer ??= setTimeout(() => this.#flush(), SOON).unref()
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const text = this.#text
    this.#text = ''
    if (text !== '') this.#console.log(text.slice(0, -1))
  }
}
