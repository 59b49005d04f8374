/** Whether an app can take calls: its parts are asked, all at once, for a short time, however many want to know. */
import type { Logger } from './observability/logger.ts'
import type { Readiness as State, ReadinessProbe } from './router/probes.ts'

/** What must be well, by name. Each rejects with why it isn't, late perhaps, and never hangs. */
export type Vitals = Readonly<Record<string, () => Promise<void>>>

export interface ReadinessParts {
  readonly vitals: Vitals
  readonly isDraining: () => boolean
  readonly logger: Logger
}

/** Milliseconds that a part may take to answer: whoever asks has little patience. */
const PATIENCE = 2000

/** One part, asked once at a time. */
class Vital {
  readonly #name: string
  readonly #ask: () => Promise<void>
  readonly #logger: Logger
  #asking: Promise<boolean> | undefined
  #isWell = true

  constructor(name: string, ask: () => Promise<void>, logger: Logger) {
    this.#name = name
    this.#ask = ask
    this.#logger = logger
  }

  async look(): Promise<boolean> {
    const asking = (this.#asking ??= this.#answer())
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<false>((resolve) => (timer = setTimeout(resolve, PATIENCE, false)))
    const isWell = await Promise.race([asking, late])
    clearTimeout(timer)
    if (!isWell) this.#unwell(`it gave no answer within ${PATIENCE} ms`)
    return isWell
  }

  async #answer(): Promise<boolean> {
    try {
      await this.#ask()
      this.#well()
      return true
    } catch (error) {
      this.#unwell((error as Error).message, error)
      return false
    } finally {
      this.#asking = undefined
    }
  }

  #well(): void {
    if (!this.#isWell) this.#logger.info({ part: this.#name }, `Ready again: ${this.#name}`)
    this.#isWell = true
  }

  /** Said once, and not at each look. */
  #unwell(reason: string, err?: unknown): void {
    const fields = { part: this.#name, ...(err === undefined ? {} : { err }) }
    if (this.#isWell) this.#logger.warn(fields, `Not ready: ${this.#name}: ${reason}`)
    this.#isWell = false
  }
}

/** The readiness of one app. */
export class Readiness implements ReadinessProbe {
  readonly #vitals: ReadonlyMap<string, Vital>
  readonly #isDraining: () => boolean

  constructor({ vitals, isDraining, logger }: ReadinessParts) {
    const entries = Object.entries(vitals)
    this.#vitals = new Map(entries.map(([name, ask]) => [name, new Vital(name, ask, logger)]))
    this.#isDraining = isDraining
  }

  async look(): Promise<State> {
    if (this.#isDraining()) return { status: 'draining' }
    const looks = [...this.#vitals].map(async ([name, vital]) => [name, await vital.look()] as const)
    const found = await Promise.all(looks)
    const status = found.every(([, isWell]) => isWell) ? 'ok' : 'unavailable'
    const parts = found.map(([name, isWell]) => [name, isWell ? 'ok' : 'unavailable'])
    return {
      status,
      ...(found.length > 0 ? { parts: Object.fromEntries(parts) as State['parts'] & {} } : {}),
    }
  }
}
