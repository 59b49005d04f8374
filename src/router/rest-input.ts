/** Builds a procedure's raw input from a REST request: body, query, path, headers, cookies. */
import type { z } from 'zod'
import { readCookie } from '../protocol/cookies.ts'
import { ProcedureError } from '../procedures/errors.ts'
import type { MaybePromise } from '../procedures/handler.ts'
import { inspectSchema } from '../procedures/inspect.ts'
import type { Definition } from '../procedures/procedure.ts'
import { isVoid } from './entries.ts'
import { readForm } from './form.ts'
import { queryOf, type HttpRequest } from './http.ts'
import { decodeText, parseJson } from './json-text.ts'
import type { PathParams } from './route-table.ts'
import { byKey, fieldsOf, readTexts } from './text-values.ts'

type Fields = Readonly<Record<string, z.core.$ZodType>>

/** Reads the raw input. Throws a `ProcedureError` for what can't be read at all. */
export type ReadInput = <T>(request: HttpRequest, params: PathParams, use: Use<T>) => MaybePromise<T>

/** What to do with the input, in the same turn in which it is there. */
export type Use<T> = (input: unknown) => MaybePromise<T>

/** Where an input comes from. */
export interface InputSource {
  /** From the query string, or from the body. */
  readonly from: 'query' | 'body'
  /** Names of the path's parameters. */
  readonly pathFields: readonly string[]
  /** Fields taken from headers, cookies and the query: `meta.rest.in`. */
  readonly in: Readonly<Record<string, string>>
  /** Takes form bodies too. */
  readonly form: boolean
  /** Bytes. */
  readonly bodyLimit: number
}

const setOwn = (target: Record<string, unknown>, key: string, value: unknown): void => {
  Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true })
}

/** Flat fields of a query string by the fields of a schema; keys the schema lacks are kept, for it to judge. */
const readFlat = (fields: Fields, query: URLSearchParams): Record<string, unknown> => {
  const input: Record<string, unknown> = {}
  for (const [key, texts] of byKey(query)) {
    const schema = Object.hasOwn(fields, key) ? fields[key] : undefined
    setOwn(input, key, schema ? readTexts(schema, texts) : texts.length === 1 ? texts[0] : texts)
  }
  return input
}

/** The parameters that Errand reads itself, on a task's plain call. */
const CONTROL = ['async'] as const

/** Names in the query string that stand for fields of other names. */
const renamedIn = ({ in: places }: InputSource): string[] =>
  Object.values(places)
    .filter((place) => place.startsWith('query:'))
    .map((place) => place.slice('query:'.length))

const compileQuery = (schema: z.core.$ZodType, source: InputSource): ReadInput => {
  const fields = fieldsOf(schema)
  const nothing = isVoid(schema)
  const takesWhole = !fields || !Object.hasOwn(fields, 'input')
  const notFields = [...CONTROL, ...renamedIn(source)].filter(
    (name) => !fields || !Object.hasOwn(fields, name),
  )
  const read = (request: HttpRequest): unknown => {
    const text = queryOf(request.url)
    if (text === '') return nothing || !fields ? undefined : {}
    const query = new URLSearchParams(text)
    for (const name of notFields) query.delete(name)
    const whole = takesWhole ? query.get('input') : null
    if (whole !== null) return parseJson(whole, 'The query parameter "input"')
    return fields && !nothing ? readFlat(fields, query) : undefined
  }
  return (request, _params, use) => use(read(request))
}

const JSON_TYPE = 'application/json'

const mediaTypeOf = (request: HttpRequest): string => {
  const type = request.header('content-type') ?? ''
  if (type === JSON_TYPE) return type
  const end = type.indexOf(';')
  return (end < 0 ? type : type.slice(0, end)).trim().toLowerCase()
}

const isJsonType = (type: string): boolean => type === JSON_TYPE || type.endsWith('+json')
const isFormType = (type: string): boolean =>
  type === 'multipart/form-data' || type === 'application/x-www-form-urlencoded'

const wrongType = (type: string, form: boolean): ProcedureError => {
  const expected = form
    ? 'application/json, multipart/form-data or application/x-www-form-urlencoded'
    : 'application/json'
  return new ProcedureError(
    'UNSUPPORTED_MEDIA_TYPE',
    type === ''
      ? `The body has no content-type; expected ${expected}`
      : `The content-type ${type} is not taken here; expected ${expected}`,
  )
}

const compileBody = (schema: z.core.$ZodType, { form, bodyLimit }: InputSource): ReadInput => {
  const parse = (bytes: Uint8Array, request: HttpRequest, type: string): unknown => {
    if (bytes.length === 0) return undefined
    if (isJsonType(type)) return parseJson(decodeText(bytes))
    if (form && isFormType(type))
      return readForm(bytes, request.header('content-type') as string, fieldsOf(schema) ?? {})
    throw wrongType(type, form)
  }
  return (request, _params, use) => {
    const type = mediaTypeOf(request)
    const isTaken = type === '' || isJsonType(type) || (form && isFormType(type))
    // Not worth reading. Where no length is told there may be nothing to read, and nothing has any type.
    if (!isTaken && Number(request.header('content-length')) > 0) throw wrongType(type, form)
    return request.body(bodyLimit).then((bytes) => {
      const input = parse(bytes, request, type)
      return input instanceof Promise ? input.then(use) : use(input)
    })
  }
}

type ReadField = (request: HttpRequest, params: PathParams) => readonly string[] | undefined

const one = (text: string | undefined): readonly string[] | undefined =>
  text === undefined ? undefined : [text]

const compileField = (place: string): ReadField => {
  const at = place.indexOf(':')
  const [where, name] = [place.slice(0, at), place.slice(at + 1)]
  if (where === 'header') return (request) => one(request.header(name.toLowerCase()))
  if (where === 'cookie') return (request) => one(readCookie(request.header('cookie'), name))
  return (request) => {
    const texts = new URLSearchParams(queryOf(request.url)).getAll(name)
    return texts.length > 0 ? texts : undefined
  }
}

const isMergeable = (value: unknown): value is Record<string, unknown> | undefined =>
  value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value))

/** Lays fields from elsewhere over the base. A base that isn't an object is left alone: the schema refuses it. */
const compileMerge = (base: ReadInput, schema: z.core.$ZodType, source: InputSource): ReadInput => {
  const fields = fieldsOf(schema) ?? {}
  const readers: (readonly [string, ReadField])[] = [
    ...source.pathFields.map(
      (name) => [name, (_: HttpRequest, params: PathParams) => one(params[name])] as const,
    ),
    ...Object.entries(source.in).map(([name, place]) => [name, compileField(place)] as const),
  ]
  const merge = (value: unknown, request: HttpRequest, params: PathParams): unknown => {
    if (!isMergeable(value)) return value
    const input: Record<string, unknown> = { ...value }
    for (const [name, read] of readers) {
      delete input[name]
      const texts = read(request, params)
      if (texts) setOwn(input, name, readTexts(fields[name] as z.core.$ZodType, texts))
    }
    return input
  }
  return (request, params, use) => base(request, params, (value) => use(merge(value, request, params)))
}

/** Compiles the reading of one route's input. */
export const compileInput = (definition: Definition, source: InputSource): ReadInput => {
  const schema = definition.input
  const base = source.from === 'query' ? compileQuery(schema, source) : compileBody(schema, source)
  const merges = source.pathFields.length > 0 || Object.keys(source.in).length > 0
  return merges ? compileMerge(base, schema, source) : base
}

/** Whether form bodies are taken: the schema has a file, or `meta.rest.body` says so. */
export const takesForm = (definition: Definition): boolean =>
  definition.meta.rest?.body === 'form' || inspectSchema(definition.input, 'input').file
