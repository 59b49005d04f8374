/**
 * What is asked by whoever watches over the process: whether it lives, and whether calls had better be sent elsewhere.
 * Answered whatever there is to do, and to anybody: it says which part is not well, never why.
 */
import { jsonReply, type HttpReply } from './http.ts'
import type { Route } from './route-table.ts'

/** How it stands. */
export interface Readiness {
  readonly status: 'ok' | 'unavailable' | 'draining'
  /** Of each part that was looked at. */
  readonly parts?: Readonly<Record<string, 'ok' | 'unavailable'>>
}

/** Tells how it stands, soon. Never rejects. */
export interface ReadinessProbe {
  look(): Promise<Readiness>
}

const probe = (path: string | undefined, owner: string, handle: Route['handle']): Route[] =>
  path === undefined ? [] : [{ method: 'GET', path, owner, handle, always: true }]

/** While it answers at all, it lives: what it can't reach is no reason to start it anew. */
export const livenessRoutes = (path: string | undefined): Route[] =>
  probe(path, 'routes.healthz', () => jsonReply(200, '{"status":"ok"}'))

const toReply = (readiness: Readiness): HttpReply => {
  const text = JSON.stringify(readiness)
  return readiness.status === 'ok' ? jsonReply(200, text) : jsonReply(503, text, ['retry-after', '1'])
}

/** 503 as long as calls had better be sent to another process. */
export const readinessRoutes = (path: string | undefined, readiness: ReadinessProbe): Route[] =>
  probe(path, 'routes.readyz', async () => toReply(await readiness.look()))
