/** What callers were told, over all hosts there were. Nothing here asks the store: it is what the store is held to. */
import type { TaskRecord } from 'errand'

/** A task that somebody was told of. */
export interface Heard {
  readonly id: string
  readonly procedure: string
  /** Every ended record that was seen, by its `finishedAt` and `rev`, as it was seen first. */
  readonly endings: Map<string, TaskRecord>
  /** Where its watcher left off. */
  lastEventId?: string
  /** Retries by hand: asked for, and answered 202. */
  retriesSent: number
  retriesTold: number
  /** The ending that was told last before a told retry. */
  endedBeforeRetry?: TaskRecord
  /** What a cancel was answered that came before the first run: it never is to run. */
  cancelledUnrun?: TaskRecord
  /** What a cancel was answered while it ran: there is to be no attempt after this one. */
  cancelTold?: TaskRecord
}

/** The key of an ending. A finished record's `rev` is the same in every process. */
export const endingOf = ({ finishedAt, rev }: TaskRecord): string => `${finishedAt}/${rev}`

export const isEnded = ({ status }: TaskRecord): boolean =>
  status === 'succeeded' || status === 'failed' || status === 'cancelled'

/** What was told, and what must never have been. */
export class Testimony {
  readonly tasks = new Map<string, Heard>()
  /** The ids that one idempotency key was answered with. */
  readonly keys = new Map<string, Set<string>>()
  /** Answers that nobody should get. */
  readonly faults: string[] = []
  refused = 0
  /** Tasks that a caller saw from its start to its end, through whatever broke off meanwhile. */
  watchedToTheEnd = 0
  /** The same by handles of `errand/client`. */
  handledToTheEnd = 0

  /** A 202: the task is durable. */
  accepted({ id, procedure }: Pick<TaskRecord, 'id' | 'procedure'>): Heard {
    const known = this.tasks.get(id)
    if (known) return known
    const heard: Heard = {
      id,
      procedure,
      endings: new Map(),
      retriesSent: 0,
      retriesTold: 0,
    }
    this.tasks.set(id, heard)
    return heard
  }

  keyed(key: string, id: string): void {
    const ids = this.keys.get(key) ?? new Set()
    this.keys.set(key, ids.add(id))
  }

  /** A record that somebody was shown. */
  saw(record: TaskRecord): void {
    const heard = this.tasks.get(record.id)
    if (!heard || !isEnded(record)) return
    const key = endingOf(record)
    const first = heard.endings.get(key)
    if (!first) heard.endings.set(key, record)
    else if (JSON.stringify(first) !== JSON.stringify(record))
      this.faults.push(
        `${record.id} was shown with one rev and two contents: ${JSON.stringify([first, record])}`,
      )
  }

  fault(what: string): void {
    this.faults.push(what)
  }
}
