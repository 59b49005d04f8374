/** A key in a header of its own. Not in the query: URLs end up in logs and histories. */
import type { Scheme, Verify } from './scheme.ts'

/** What the check of an API key needs. */
export interface ApiKeyOptions<TUser> {
  /** Compares in constant time, as `sameSecret` does, or looks the key's hash up. */
  readonly verify: Verify<TUser>
  /** Default `x-api-key`. */
  readonly header?: string
}

/** @example apiKey({ verify: (key) => (sameSecret(key, process.env.API_KEY) ? { id: 'partner' } : null) }) */
export const apiKey = <TUser>({ verify, header = 'x-api-key' }: ApiKeyOptions<TUser>): Scheme<TUser> => ({
  document: { type: 'apiKey', in: 'header', name: header },
  identify: async (request) => {
    const key = request.headers.get(header)
    return key === null ? undefined : ((await verify(key, request)) ?? null)
  },
})
