/**
 * What is measured, and under which names. Values of labels come from the code of the app alone, never from callers:
 * procedures, error codes, statuses, kinds of workers.
 */
import type { Counter, Gauge, Histogram, PromClient, Registry } from './prom-client.ts'
import { CountTally, TimeTally } from './tallies.ts'

const CALLS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const TASKS = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600]

/** What an app's own code measures with. */
export interface Instruments {
  /** By route and status. */
  readonly requests: CountTally
  /** By procedure and code. */
  readonly calls: TimeTally
  readonly taskEvents: Counter<'procedure' | 'event'>
  readonly taskErrors: Counter<'procedure' | 'code'>
  readonly runs: Histogram<'procedure' | 'outcome'>
  readonly waits: Histogram<'procedure'>
  readonly tasks: Gauge<'procedure' | 'state'>
  readonly oldest: Gauge<'procedure'>
  readonly engineUp: Gauge
  readonly workers: Gauge<'kind' | 'state'>
  readonly restarts: Counter<'kind'>
}

/** Makes them in a registry. @param look gives values to those that are only known when somebody asks */
export const createInstruments = (
  { Counter, Gauge, Histogram }: PromClient,
  registry: Registry,
  look: () => Promise<void>,
): Instruments => {
  const registers = [registry]
  return {
    requests: new CountTally(registry, {
      name: 'errand_http_requests_total',
      help: 'Requests by route (a procedure, tasks, routes.*, or unknown) and status',
      labelNames: ['route', 'status'],
    }),
    calls: new TimeTally(
      registry,
      {
        name: 'errand_call_duration_seconds',
        help: 'Calls of queries, mutations and subscriptions (until the first item can come), by error code or OK',
        labelNames: ['procedure', 'code'],
      },
      CALLS,
    ),
    taskEvents: new Counter({
      name: 'errand_task_events_total',
      help: 'Changes of tasks: queued, started, retrying, succeeded, failed, cancelled',
      labelNames: ['procedure', 'event'],
      registers,
    }),
    taskErrors: new Counter({
      name: 'errand_task_attempt_errors_total',
      help: 'Attempts that ended in an error, by its code: WORKER_LOST is one whose worker or host died',
      labelNames: ['procedure', 'code'],
      registers,
    }),
    runs: new Histogram({
      name: 'errand_task_run_seconds',
      help: 'How long attempts ran, by how they ended',
      labelNames: ['procedure', 'outcome'],
      buckets: TASKS,
      registers,
    }),
    waits: new Histogram({
      name: 'errand_task_wait_seconds',
      help: 'How long tasks waited before each attempt, delays included',
      labelNames: ['procedure'],
      buckets: TASKS,
      registers,
    }),
    tasks: new Gauge({
      name: 'errand_tasks',
      help: 'Tasks that have not ended, on all hosts together: due, delayed, running',
      labelNames: ['procedure', 'state'],
      registers,
      collect: look,
    }),
    oldest: new Gauge({
      name: 'errand_task_oldest_wait_seconds',
      help: 'How long the longest waiting task that is due has been (bullmq: the one that is next)',
      labelNames: ['procedure'],
      registers,
      collect: look,
    }),
    engineUp: new Gauge({
      name: 'errand_engine_up',
      help: 'Whether the task engine answered when this was asked',
      registers,
      collect: look,
    }),
    workers: new Gauge({
      name: 'errand_workers',
      help: 'Workers that this process may have, by kind and state: busy, idle (or not needed yet)',
      labelNames: ['kind', 'state'],
      registers,
      collect: look,
    }),
    restarts: new Counter({
      name: 'errand_worker_restarts_total',
      help: 'Workers of this process that died or were ended with their task, and were replaced',
      labelNames: ['kind'],
      registers,
      collect: look,
    }),
  }
}
