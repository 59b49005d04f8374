/** The parts of OpenAPI 3.1 that the document uses. */
import type { JsonSchema } from './json-schema.ts'

/** Points to a component. */
export interface Reference {
  readonly $ref: string
}

/** A body in one media type. */
export interface MediaType {
  readonly schema: JsonSchema
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
  readonly encoding?: Readonly<Record<string, { readonly contentType: string }>>
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header' | 'cookie'
  readonly required?: boolean
  readonly description?: string
  readonly schema: JsonSchema
  readonly style?: string
  readonly explode?: boolean
  readonly example?: unknown
}

export interface RequestBody {
  readonly required: boolean
  readonly content: Readonly<Record<string, MediaType>>
}

export interface ResponseHeader {
  readonly description: string
  readonly schema: JsonSchema
}

export interface Response {
  readonly description: string
  readonly headers?: Readonly<Record<string, ResponseHeader>>
  readonly content?: Readonly<Record<string, MediaType>>
}

/** Answers by status, or `default`. */
export type Responses = Readonly<Record<string, Response | Reference>>

/** One operation at its path. */
export interface Operation {
  /** Lower case. */
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  readonly path: string
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly tags?: readonly string[]
  readonly deprecated?: boolean
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters?: readonly (Parameter | Reference)[]
  readonly requestBody?: RequestBody
  readonly responses: Responses
  readonly 'x-kind': 'query' | 'mutation' | 'subscription' | 'task'
  /** Dotted path. */
  readonly 'x-procedure'?: string
}

/** A member that is only there when it has a value. */
export const given = <K extends string, V>(name: K, value: V | undefined): { readonly [key in K]?: V } =>
  (value === undefined ? {} : { [name]: value }) as { readonly [key in K]?: V }
