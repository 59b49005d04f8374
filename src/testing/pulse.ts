/** Whether an app has come to rest. Everything that happens in it is a beat here. */
import { realNow, realSleep, turn } from './real-time.ts'

/** So many turns of the event loop without a beat are rest: one write, or one answer, takes fewer. */
const CALM = 4
/** Turns after which a handler that does real work is no longer waited for turn by turn. */
const QUICK = 50

/** Real ms in which a call that was just made arrives: clients gather calls for a moment before they send them. */
const ARRIVAL = 2

/** Tells when all is at rest. */
export interface Rest {
  /** What was asked for a moment ago has arrived, and all is at rest. */
  arrived(): Promise<void>
  settled(): Promise<void>
}

/** Counts what happens. */
export class Pulse implements Rest {
  readonly #patience: number
  #beats = 0
  #writing = 0
  /** What may be about to do something, a task's attempt or a request, and until when it is waited for. */
  readonly #fresh = new Map<string, number>()

  /** @param patience how long a handler is waited for that does not end at once, in real ms */
  constructor(patience: number) {
    this.#patience = patience
  }

  beat(): void {
    this.#beats += 1
  }

  /** Something that is sure to end is under way. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#writing += 1
    try {
      return await work()
    } finally {
      this.#writing -= 1
      this.beat()
    }
  }

  /** Something runs, or is about to, and may end any moment. */
  runs(name: string): void {
    this.beat()
    this.#fresh.set(name, realNow() + this.#patience)
  }

  /** It ended, or waits for the clock. */
  rests(name: string): void {
    this.beat()
    this.#fresh.delete(name)
  }

  async arrived(): Promise<void> {
    await realSleep(ARRIVAL)
    await this.settled()
  }

  /** Resolves when nothing happens any more, but for handlers that take longer than they are waited for. */
  async settled(): Promise<void> {
    let seen = -1
    for (let [calm, turns] = [0, 0]; calm < CALM; turns += 1) {
      await (this.#isWaiting() && turns > QUICK ? realSleep(1) : turn())
      const isCalm = this.#beats === seen && this.#writing === 0 && !this.#isWaiting()
      calm = isCalm ? calm + 1 : 0
      seen = this.#beats
    }
  }

  #isWaiting(): boolean {
    for (const [name, until] of this.#fresh) if (until < realNow()) this.#fresh.delete(name)
    return this.#fresh.size > 0
  }
}
