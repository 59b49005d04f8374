/** URLs of Redis servers: which are taken, what the client is given of them, and how one is shown without its password. */

/** Valkey speaks the same protocol; its schemes are given to the client by their older names. */
const SCHEMES: Readonly<Record<string, string>> = {
  'redis:': 'redis:',
  'rediss:': 'rediss:',
  'valkey:': 'redis:',
  'valkeys:': 'rediss:',
}

const FORM = 'redis://[user:password@]host[:port][/database], with rediss:// for TLS'

const schemeOf = (text: string): string => /^[a-z]+:(?=\/\/)/i.exec(text)?.[0].toLowerCase() ?? ''

/** Whether a text means to be such a URL. */
export const isRedisUrl = (text: string): boolean => schemeOf(text) in SCHEMES

const parse = (text: string): URL | undefined => {
  try {
    const url = new URL(text)
    decodeURIComponent(url.username + url.password)
    return url
  } catch {
    return undefined
  }
}

/** What is wrong with such a URL; never the URL itself, for it may hold a password. */
export const redisUrlProblem = (text: string): string | undefined => {
  const url = parse(text)
  if (!url) return `it is no URL, expected ${FORM}; special characters of a password must be percent-encoded`
  if (url.hostname === '') return `it names no host, expected ${FORM}`
  if (!/^\/?\d*$/.test(url.pathname)) return `its database is no number, expected ${FORM}`
  return undefined
}

/** As the client understands it. */
export const toClientUrl = (text: string): string => {
  const scheme = schemeOf(text)
  return `${SCHEMES[scheme] as string}${text.slice(scheme.length)}`
}

/** `host:port/database`, to be shown. */
export const showRedisUrl = (text: string): string => {
  const { hostname, port, pathname } = new URL(text)
  return `${hostname}:${port || 6379}/${pathname.slice(1) || 0}`
}
