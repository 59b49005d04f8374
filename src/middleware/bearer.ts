/** `Authorization: Bearer …` (RFC 6750): JWTs and opaque tokens. */
import type { Scheme, Verify } from './scheme.ts'

/** What the check of a bearer token needs. */
export interface BearerOptions<TUser> {
  readonly verify: Verify<TUser>
  /** For readers of the document, such as `'JWT'`. */
  readonly format?: string
}

const CREDENTIALS = /^Bearer +([\w\-.~+/]+=*)$/i

/** @example bearer({ verify: (token) => users.get(token) ?? null }) */
export const bearer = <TUser>({ verify, format }: BearerOptions<TUser>): Scheme<TUser> => ({
  document: { type: 'http', scheme: 'bearer', ...(format === undefined ? {} : { bearerFormat: format }) },
  identify: async (request) => {
    const header = request.headers.get('authorization')
    if (header === null || !/^Bearer\b/i.test(header)) return undefined
    const token = CREDENTIALS.exec(header)?.[1]
    return token === undefined ? null : ((await verify(token, request)) ?? null)
  },
})
