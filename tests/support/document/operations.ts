/** The operations of a served OpenAPI document, read as a client would that knows nothing else. */
import type { Schema } from './values.ts'

export interface MediaType {
  readonly schema?: Schema
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header' | 'cookie'
  readonly required?: boolean
  readonly schema: Schema
}

export interface Response {
  readonly $ref?: string
  readonly content?: Readonly<Record<string, MediaType>>
}

/** One operation. */
export interface Operation {
  readonly method: string
  readonly path: string
  readonly operationId: string
  readonly parameters: readonly Parameter[]
  readonly body: Readonly<Record<string, MediaType>> | undefined
  readonly responses: Readonly<Record<string, Response>>
}

/** A document as JSON. */
export type Document = Readonly<Record<string, unknown>>

/** What a pointer of a document leads to. */
export const at = (document: Document, ref: string): never =>
  ref
    .replace('#/', '')
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((node, part) => node[part] as Document, document) as never

interface RawOperation {
  readonly operationId: string
  readonly parameters?: readonly (Parameter | { readonly $ref: string })[]
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> }
  readonly responses: Readonly<Record<string, Response>>
}

/** All of them. */
export const operationsOf = (document: Document): Operation[] => {
  const resolved = <T>(part: T | { readonly $ref: string }): T =>
    typeof part === 'object' && part !== null && '$ref' in part ? at(document, part.$ref) : part
  return Object.entries(document['paths'] as Record<string, Record<string, RawOperation>>).flatMap(
    ([path, methods]) =>
      Object.entries(methods).map(([method, raw]) => ({
        method: method.toUpperCase(),
        path,
        operationId: raw.operationId,
        parameters: (raw.parameters ?? []).map((parameter) => resolved<Parameter>(parameter)),
        body: raw.requestBody?.content,
        responses: Object.fromEntries(
          Object.entries(raw.responses).map(([status, response]) => [status, resolved<Response>(response)]),
        ),
      })),
  )
}
