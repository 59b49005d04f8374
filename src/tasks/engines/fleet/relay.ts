/** Passes on what running attempts say: progress and logs, gathered, so that a talkative handler costs little. */
import type { TaskLog } from '../../../protocol/task.ts'
import type { Run } from './run.ts'
import type { SharedQueue } from './shared-queue.ts'

/** Milliseconds between two reports of an attempt. Watchers on its own host hear of everything at once. */
const REPORT_EVERY = 200

/** Lines of one report; a flood of them loses the oldest, which other hosts' watchers then do not see. */
const MOST_LOGS = 100

/** What one attempt said since its last report. */
interface Unsaid {
  progress?: unknown
  readonly logs: TaskLog[]
}

/** One timer for all attempts that said something. */
export class Relay {
  readonly #queue: Pick<SharedQueue, 'report'>
  #unsaid = new Map<Run, Unsaid>()
  #isDue = false

  constructor(queue: Pick<SharedQueue, 'report'>) {
    this.#queue = queue
  }

  progress(run: Run, progress: unknown): void {
    this.#of(run).progress = progress
  }

  log(run: Run, log: TaskLog): void {
    const { logs } = this.#of(run)
    logs.push(log)
    if (logs.length > MOST_LOGS) logs.shift()
  }

  /** Says what is left of an attempt that ended: before its end is told. */
  async finish(run: Run): Promise<void> {
    const said = this.#unsaid.get(run)
    this.#unsaid.delete(run)
    if (said && !run.isLost) await this.#queue.report(run.taken, said)
  }

  #of(run: Run): Unsaid {
    const known = this.#unsaid.get(run)
    if (known) return known
    const unsaid: Unsaid = { logs: [] }
    this.#unsaid.set(run, unsaid)
    if (!this.#isDue) setTimeout(() => this.#flush(), REPORT_EVERY)
    this.#isDue = true
    return unsaid
  }

  #flush(): void {
    const all = this.#unsaid
    this.#unsaid = new Map()
    this.#isDue = false
    for (const [run, said] of all) if (!run.isLost) void this.#queue.report(run.taken, said)
  }
}
