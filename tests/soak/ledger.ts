/** What callers did, in numbers, and what they should never have met. */
export class Ledger {
  /** Requests that were sent, those included that were broken off. */
  requests = 0
  /** Tasks that somebody was told of. */
  started = 0
  /** Retries by hand. */
  retried = 0
  /** Requests that were broken off. */
  dropped = 0
  readonly acts: Record<string, number> = {}
  readonly faults: string[] = []

  did(act: string): void {
    this.acts[act] = (this.acts[act] ?? 0) + 1
  }

  /** The first hundred tell all that there is to tell. */
  fault(what: string): void {
    if (this.faults.length < 100) this.faults.push(what)
  }

  expect(holds: boolean, what: () => string): void {
    if (!holds) this.fault(what())
  }
}
