/** What the parts of the queue have in common: one database, its statements and queues, and the way to tell others. */
import type { PolicyOf, QueueListener } from '../fleet/shared-queue.ts'
import type { Report } from '../../store.ts'
import type { Bulletin } from './bulletin.ts'
import type { Database } from './database.ts'
import type { Queues } from './queues.ts'
import type { Statements } from './statements.ts'

export interface Place {
  readonly database: Database
  readonly sql: Statements
  readonly queues: Queues
  readonly bulletin: Bulletin
  readonly listener: QueueListener
  readonly report: Report
  readonly policyOf: PolicyOf
}
