/** The one file that imports BullMQ. */
import { loadPeer } from './load-peer.ts'

export type { IQueueBackend, JobJson } from 'bullmq'

/** All that it exports. */
export type Bullmq = typeof import('bullmq')

/** BullMQ, loaded when an engine over it is made. */
export const loadBullmq = (): Promise<Bullmq> =>
  loadPeer('bullmq', 'The bullmq engine', () => import('bullmq'))
