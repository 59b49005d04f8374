/** Reads a `Cookie` header (RFC 6265 §5.4). */

const decode = (value: string): string => {
  try {
    return decodeURIComponent(value.replace(/^"(.*)"$/, '$1'))
  } catch {
    return value
  }
}

/** The first cookie of a name. */
export const readCookie = (header: string | undefined, name: string): string | undefined => {
  for (const part of header?.split(';') ?? []) {
    const [key = '', ...value] = part.split('=')
    if (key.trim() === name) return decode(value.join('=').trim())
  }
  return undefined
}
