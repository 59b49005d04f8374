/** The one file that imports pg, the driver of Postgres. */
import { loadPeer } from './load-peer.ts'

export type { Client, Notification, Pool, PoolConfig } from 'pg'

/** The driver, loaded when an engine on Postgres is made. */
export const loadPg = async (neededBy: string): Promise<Pick<typeof import('pg'), 'Client' | 'Pool'>> => {
  const { default: pg } = await loadPeer('pg', neededBy, () => import('pg'))
  return pg
}
