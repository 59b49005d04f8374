/** What `measure.ts` writes and `simulate.ts` reads: per task, processor time in µs. */

/** What an engine costs on one kind of server. */
export interface EngineFigures {
  readonly engine: 'bullmq' | 'pgmq'
  readonly server: 'redis' | 'postgres'
  /** One host starts and runs the tasks, 64 in flight. */
  readonly own: { readonly perSecond: number; readonly hostUs: number; readonly serverUs: number }
  /** One host starts them, another runs them, 64 in flight. */
  readonly apart: {
    readonly perSecond: number
    readonly starterUs: number
    readonly workerUs: number
    readonly serverUs: number
  }
  /** Of the server, for a task that comes alone: nothing is shared with others. One host hears of it. */
  readonly aloneServerUs: number
  /** Of the server, for a task that comes alone, for each more host that hears of it. */
  readonly hearerServerUs: number
  /** Of the server in ms per second, for each host that has nothing to do. */
  readonly idleServerMs: number
}

/** All that was measured in one run. */
export interface Figures {
  readonly machine: { readonly at: string; readonly cpu: string; readonly cores: number; readonly node: string }
  readonly engines: readonly EngineFigures[]
}
