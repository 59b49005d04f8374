/** Where in a trace something is, as W3C Trace Context writes it in the header `traceparent`: 00-<trace>-<span>-<flags>. */

const TRACEPARENT = /^[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/

/** A traceparent that can be gone by; undefined for any other text. Of a later version only this much is known. */
export const readTraceparent = (text: string | undefined): string | undefined =>
  text !== undefined && TRACEPARENT.test(text) && !text.startsWith('ff') ? text : undefined

/** The trace that a traceparent is in. */
export const traceIdOf = (traceparent: string): string => traceparent.slice(3, 35)
