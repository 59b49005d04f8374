/**
 * A session in a cookie. A browser sends it along with whatever any page makes it send, so what changes something is taken
 * from pages of one's own origin only.
 */
import { ProcedureError } from '../procedures/errors.ts'
import { readCookie } from '../protocol/cookies.ts'
import { isCrossSite } from './cross-site.ts'
import type { Scheme, Verify } from './scheme.ts'

/** What the check of a session needs. */
export interface SessionOptions<TUser> {
  readonly verify: Verify<TUser>
  /** Default `__Host-session`: browsers take a cookie of such a name only over TLS, and from this host alone. */
  readonly cookie?: string
  /** Other origins whose pages may use it, as `https://app.example`. They need `cors` with credentials, too. */
  readonly origins?: readonly string[]
}

const refuseCrossSite = (): never => {
  throw new ProcedureError('FORBIDDEN', 'A page of another site may not do this with your session')
}

/** @example session({ verify: (id) => sessions.get(id) ?? null }) */
export const session = <TUser>(options: SessionOptions<TUser>): Scheme<TUser> => {
  const { verify, cookie = '__Host-session', origins = [] } = options
  const trusted = new Set(origins)
  return {
    document: { type: 'apiKey', in: 'cookie', name: cookie },
    identify: async (request) => {
      const value = readCookie(request.headers.get('cookie') ?? undefined, cookie)
      if (value === undefined || value === '') return undefined
      if (isCrossSite(request, trusted)) refuseCrossSite()
      // A session that is over is none: the page has yet to sign in.
      return (await verify(value, request)) ?? undefined
    },
  }
}
