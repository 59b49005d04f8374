/** JSON from untrusted bytes: UTF-8 or refused, well-formed or refused, not too deep. */
import { isUtf8 } from 'node:buffer'
import { ProcedureError } from '../procedures/errors.ts'

/** Deeper values overflow the stack of whatever walks them. */
export const MAX_DEPTH = 256

const opens = (text: string, bracket: string, limit: number): number => {
  let count = 0
  for (let at = text.indexOf(bracket); at >= 0 && count <= limit; at = text.indexOf(bracket, at + 1)) count++
  return count
}

const deepest = (text: string): number => {
  let depth = 0
  let most = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (inString) {
      if (char === 0x5c) at++
      else if (char === 0x22) inString = false
    } else if (char === 0x22) inString = true
    else if (char === 0x5b || char === 0x7b) most = Math.max(most, ++depth)
    else if (char === 0x5d || char === 0x7d) depth--
  }
  return most
}

// Counting brackets is far cheaper than following them, and nearly every body passes by the count.
export const isTooDeep = (text: string): boolean =>
  text.length > 2 * MAX_DEPTH &&
  opens(text, '[', MAX_DEPTH) + opens(text, '{', MAX_DEPTH) > MAX_DEPTH &&
  deepest(text) > MAX_DEPTH

/** @throws ProcedureError BAD_REQUEST when JSON nests deeper than `MAX_DEPTH` */
export const refuseDeep = (text: string, what: string): void => {
  if (!isTooDeep(text)) return
  throw new ProcedureError('BAD_REQUEST', `${what} nests deeper than ${MAX_DEPTH} levels`)
}

const stringEnd = (text: string, start: number): number => {
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at]
    if (char === '"') return at
    if (char === '\\') at++
  }
  return text.length
}

const LITERALS: Record<string, string> = { t: 'true', f: 'false', n: 'null' }

/** Where a value is expected and something else stands: the one error that V8 tells without its position. */
const unexpectedAt = (text: string): number => {
  let expectsValue = true
  let mayClose = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string
    if (' \t\n\r'.includes(char)) continue
    if (expectsValue && '],:}'.includes(char) && !(char === ']' && mayClose)) return at
    const literal = LITERALS[char]
    if (char === '"') at = stringEnd(text, at)
    else if (literal) for (const letter of literal.slice(1)) if (text[++at] !== letter) return at
    if (!literal && !'"[]{},:0123456789.eE+-'.includes(char)) return at
    expectsValue = '[,:'.includes(char)
    mayClose = char === '['
  }
  return text.length
}

const position = (text: string, error: unknown): string => {
  const told = /position (\d+)/.exec(String(error))?.[1]
  const before = text.slice(0, told === undefined ? unexpectedAt(text) : Number(told)).split('\n')
  return ` at line ${before.length}, column ${(before.at(-1) as string).length + 1}`
}

/**
 * Parses JSON text.
 * @throws ProcedureError BAD_REQUEST when it isn't JSON or nests deeper than `MAX_DEPTH`
 */
export const parseJson = (text: string, what = 'The body'): unknown => {
  refuseDeep(text, what)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ProcedureError('BAD_REQUEST', `${what} is not valid JSON${position(text, cause)}`, { cause })
  }
}

/**
 * Bytes as text.
 * @throws ProcedureError BAD_REQUEST when they aren't UTF-8 (RFC 8259 §8.1)
 */
export const decodeText = (bytes: Uint8Array): string => {
  if (!isUtf8(bytes)) throw new ProcedureError('BAD_REQUEST', 'The body is not valid UTF-8')
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return buffer.toString('utf8', buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf ? 3 : 0)
}
