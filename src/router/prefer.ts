/** The `Prefer` header (RFC 7240): `respond-async` and, with it, `wait`. */

/** What a caller prefers. */
export interface Preference {
  readonly respondAsync: boolean
  /** Seconds to wait for the answer before a 202. */
  readonly wait?: number
  /** The `Preference-Applied` header (RFC 7240 §3), as name and value; empty when nothing was asked for. */
  readonly applied: readonly string[]
}

const LONGEST_WAIT = 30

/** Reads the header. `wait` alone is ignored: a plain call waits anyway. */
export const readPrefer = (header: string | undefined): Preference => {
  const preferences = new Map(
    (header ?? '').split(/[,;]/).map((part) => {
      const [name = '', value = ''] = part.split('=')
      return [name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/, '$1')] as const
    }),
  )
  if (!preferences.has('respond-async')) return { respondAsync: false, applied: [] }
  const text = preferences.get('wait')
  if (text === undefined || !/^\d+$/.test(text))
    return { respondAsync: true, applied: ['preference-applied', 'respond-async'] }
  const wait = Math.min(Number(text), LONGEST_WAIT)
  return { respondAsync: true, wait, applied: ['preference-applied', `respond-async, wait=${wait}`] }
}
