/**
 * Lines on their way to standard error or output: those of a moment are made and written together, which costs less than
 * each between two requests, when a processor has forgotten how, and a write more than making it. What is left is written
 * when the process exits.
 */
import { Console } from 'node:console'
import { inspect } from 'node:util'

/** Lines that are written at once, however short the time. */
const MOST = 250
/** Milliseconds that a line waits for others. */
const SOON = 20

/** One for each stream, however many apps log. */
export class Lines {
  readonly #console: Console
  #unmade: (() => string)[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(to: 'stderr' | 'stdout') {
    // A reader that is gone must not end the process: a console goes on without one.
    this.#console = new Console({ stdout: process[to], ignoreErrors: true })
    process.on('exit', () => this.#flush())
  }

  /** Takes a line that `make` makes when its time has come, with its end. */
  add(make: () => string): void {
    if (this.#unmade.push(make) >= MOST) this.#flush()
    else this.#timer ??= setTimeout(() => this.#flush(), SOON).unref()
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const unmade = this.#unmade
    this.#unmade = []
    let text = ''
    for (const make of unmade) text += made(make)
    if (text !== '') this.#console.log(text.slice(0, -1))
  }
}

// What is logged may have getters of the user's own, which throw, whatever they like.
const made = (make: () => string): string => {
  try {
    return make()
  } catch (error) {
    return `The logger threw ${inspect(error)}\n`
  }
}
