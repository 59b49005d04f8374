/** Requests to an operation, made of what its document says it takes, and of what it doesn't. */
import fc from 'fast-check'
import { body as bytes, mediaType, query as anyQuery, segment } from '../hostile.ts'
import { at, type Document, type Operation, type Parameter } from './operations.ts'
import { aroundOf, type Schema } from './values.ts'

/** One request. `{taskId}` in its path is put in when it is sent. */
export interface DocumentRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array<ArrayBuffer> | FormData | undefined
}

const asText = (value: unknown): string =>
  typeof value === 'string' ? value.toWellFormed() : (JSON.stringify(value) ?? 'undefined')

/** What can stand in a header. */
const asHeader = (value: unknown): string =>
  asText(value)
    .replaceAll(/[^\x20-\x7e]/g, '')
    .trim()

type Values = Readonly<Record<string, unknown>>

const fillPath = (path: string, values: Values): string =>
  path.replaceAll(/\{(\w+)\}/g, (whole, name: string) =>
    // A segment of nothing would be another path.
    name === 'taskId' ? whole : encodeURIComponent(asText(values[name])) || 'x',
  )

const fillQuery = (parameters: readonly Parameter[], values: Values): string => {
  const search = new URLSearchParams()
  for (const { name, schema } of parameters) {
    if (!(name in values)) continue
    const value = values[name]
    // What is JSON in a query is JSON whatever it is.
    const texts = schema.contentSchema
      ? [JSON.stringify(value)]
      : Array.isArray(value)
        ? value.map(asText)
        : [asText(value)]
    for (const text of texts) search.append(name, text ?? 'null')
  }
  return search.size === 0 ? '' : `?${search}`
}

const toForm = (value: unknown): FormData => {
  const form = new FormData()
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : []
  for (const [name, item] of entries) {
    const isFile = name === 'file' && typeof item === 'string'
    form.append(name, isFile ? new File([item], 'x.png', { type: 'image/png' }) : asText(item))
  }
  return form
}

const encode = (type: string, value: unknown): DocumentRequest['body'] => {
  if (type === 'multipart/form-data') return toForm(value)
  if (type !== 'application/x-www-form-urlencoded') return JSON.stringify(value)
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : []
  return new URLSearchParams(entries.map(([name, item]) => [name, asText(item)])).toString()
}

type Body = Pick<DocumentRequest, 'body'> & { readonly type: string | undefined }

const bodiesOf = ({ body: content }: Operation, resolve: (ref: string) => Schema): fc.Arbitrary<Body> => {
  const good = Object.entries(content ?? {}).map(([type, { schema = {} }]) =>
    aroundOf(schema, resolve).map((value): Body => ({ type, body: encode(type, value) })),
  )
  const bad = fc.tuple(mediaType, bytes).map(([type, some]): Body => ({ type, body: new Uint8Array(some) }))
  const none = fc.constant<Body>({ type: undefined, body: undefined })
  if (good.length === 0) return fc.oneof({ weight: 4, arbitrary: none }, { weight: 1, arbitrary: bad })
  return fc.oneof(
    { weight: 6, arbitrary: fc.oneof(...good) },
    { weight: 1, arbitrary: bad },
    { weight: 1, arbitrary: none },
  )
}

const valuesFor = (
  parameters: readonly Parameter[],
  resolve: (ref: string) => Schema,
): fc.Arbitrary<Values> =>
  fc.record(
    Object.fromEntries(
      parameters.map(({ name, schema, in: place }) => [
        name,
        fc.oneof(
          { weight: 6, arbitrary: aroundOf(schema.contentSchema ?? schema, resolve) },
          { weight: place === 'path' ? 1 : 0, arbitrary: segment },
        ),
      ]),
    ),
    { requiredKeys: parameters.filter(({ in: place }) => place === 'path').map(({ name }) => name) },
  )

/** The requests to an operation. */
export const requestsTo = (document: Document, operation: Operation): fc.Arbitrary<DocumentRequest> => {
  const resolve = (ref: string): Schema => at(document, ref)
  const { parameters, method, path } = operation
  const of = (place: Parameter['in']): Parameter[] => parameters.filter((each) => each.in === place)
  const hasBody = method !== 'GET' && method !== 'HEAD'
  return fc
    .tuple(
      valuesFor(parameters, resolve),
      bodiesOf(operation, resolve),
      fc.oneof({ weight: 9, arbitrary: fc.constant('') }, { weight: 1, arbitrary: anyQuery }),
    )
    .map(([values, { type, body }, more]) => {
      const headers = of('header').flatMap(({ name }) =>
        name in values ? [[name, asHeader(values[name])]] : [],
      )
      const cookies = of('cookie').flatMap(({ name }) =>
        name in values ? [`${name}=${asHeader(values[name])}`] : [],
      )
      const typed =
        hasBody && type !== undefined && type !== 'multipart/form-data' ? [['content-type', type]] : []
      return {
        method,
        path: fillPath(path, values) + (more || fillQuery(of('query'), values)),
        headers: Object.fromEntries([
          ...headers,
          ...typed,
          ...(cookies.length > 0 ? [['cookie', cookies.join('; ')]] : []),
        ]),
        body: hasBody ? body : undefined,
      }
    })
}
