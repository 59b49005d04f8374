/** An output that is bytes, not JSON. Such a procedure answers over REST only. */
import { z } from 'zod'
import type { Schema } from './schema.ts'

/** What a handler with a `stream()` output may return. */
export type StreamBody =
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>
  | Response
  | Blob
  | Uint8Array
  | string

/** The schema that `stream()` makes. */
export interface StreamSchema extends Schema {
  readonly _zod: z.core.$ZodType<StreamBody, StreamBody>['_zod']
}

const CONTENT_TYPES = new WeakMap<object, string>()

const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(\s*;[\x20-\x7e]*)?$/

/**
 * An output of bytes with a content type, such as `stream('text/csv')`.
 *
 * @param contentType media type, RFC 9110 §8.3
 * @throws TypeError when it isn't one
 */
export const stream = (contentType: string): StreamSchema => {
  if (!MEDIA_TYPE.test(contentType))
    throw new TypeError(
      `stream(): ${JSON.stringify(contentType)} is not a media type, expected one like 'text/csv'`,
    )
  const schema = z.custom<StreamBody>()
  CONTENT_TYPES.set(schema, contentType)
  return schema
}

/** The content type of a schema made by `stream()`, else undefined. */
export const streamContentType = (schema: object): string | undefined => CONTENT_TYPES.get(schema)
