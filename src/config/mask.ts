/** What may be shown of a value: never a password. */
import { show } from './option-rules.ts'

const HIDDEN = '***'

const maskQuery = (url: string): string =>
  url.replaceAll(/([?&][^=&]*(?:pass|secret|token|key)[^=&]*=)[^&]*/gi, `$1${HIDDEN}`)

// To the last @, as a password may have any sign in it that somebody forgot to encode.
const maskUrl = (value: string): string => maskQuery(value.replace(/\/\/.*@/, `//${HIDDEN}@`))

const masked = (value: unknown): unknown => {
  if (typeof value === 'string') return value.includes('://') ? maskUrl(value) : value
  if (Array.isArray(value)) return value.map(masked)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, masked(inner)]))
}

/** A value in a sentence. Of a secret that is no URL nothing is told, for any of it may be what it keeps. */
export const showMasked = (value: unknown, secret: boolean): string => {
  if (typeof value === 'function') return 'a function'
  if (!secret) return show(masked(value))
  return typeof value === 'string' && /^[a-z][a-z0-9+.-]*:\/\//i.test(value)
    ? JSON.stringify(maskUrl(value))
    : HIDDEN
}
