/**
 * Whether a page of another origin made a request. A browser says so in headers that a page can't change: every one has
 * sent `Origin` with what changes something for a decade, and newer ones `Sec-Fetch-Site`. Without either it is no page.
 */
import type { ContextRequest } from '../router/http.ts'

/** Methods that change nothing (RFC 9110 §9.2.1). */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

const hostOf = (origin: string): string | undefined => {
  try {
    return new URL(origin).host
  } catch {
    return undefined
  }
}

/** @param origins other origins whose pages are as good as one's own */
export const isCrossSite = ({ method, headers }: ContextRequest, origins: ReadonlySet<string>): boolean => {
  if (SAFE.has(method)) return false
  const origin = headers.get('origin')
  if (origin !== null && origins.has(origin)) return false
  const site = headers.get('sec-fetch-site')
  if (site !== null) return site !== 'same-origin' && site !== 'none'
  return origin !== null && hostOf(origin) !== headers.get('host')
}
