/** JSON Schema (2020-12) as OpenAPI 3.1 takes it, and where schemas are inside a schema. */

/** A schema as a plain object. */
export interface JsonSchema {
  [keyword: string]: unknown
}

/** A mention of a schema: `holder[key]` is its URI, to be rewritten once the target has its name. */
export interface Mention {
  readonly holder: Record<string, unknown>
  readonly key: string
  readonly target: string
}

/** Where zod puts the schemas it names. */
const DEFINITIONS = '#/$defs/'

// Keywords with schemas in them. Everything else is data, where a `$ref` would be somebody's value.
const INSIDE: ReadonlyMap<string, 'schema' | 'list' | 'map'> = new Map([
  ...['items', 'additionalProperties', 'propertyNames', 'not', 'contains', 'if', 'then', 'else'].map(
    (keyword) => [keyword, 'schema'] as const,
  ),
  ...['anyOf', 'oneOf', 'allOf', 'prefixItems'].map((keyword) => [keyword, 'list'] as const),
  ...['properties', 'patternProperties', 'dependentSchemas'].map((keyword) => [keyword, 'map'] as const),
])

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const decodePointer = (segment: string): string => segment.replaceAll('~1', '/').replaceAll('~0', '~')

const mention = (holder: Record<string, unknown>, key: string, mentions: Mention[]): void => {
  const uri = holder[key]
  if (typeof uri !== 'string' || !uri.startsWith(DEFINITIONS)) return
  mentions.push({ holder, key, target: decodePointer(uri.slice(DEFINITIONS.length)) })
}

const visitInside = (kind: 'schema' | 'list' | 'map', value: unknown, mentions: Mention[]): void => {
  if (kind === 'schema') return visit(value, mentions)
  if (kind === 'list' ? !Array.isArray(value) : !isObject(value)) return
  for (const inner of Object.values(value as object)) visit(inner, mentions)
}

// `z.record(z.string(), …)` says so of its keys, which JSON says anyway.
const dropPlainNames = (schema: JsonSchema): void => {
  const names = schema['propertyNames']
  if (isObject(names) && names['type'] === 'string' && Object.keys(names).length === 1)
    delete schema['propertyNames']
}

const visit = (schema: unknown, mentions: Mention[]): void => {
  if (!isObject(schema)) return
  dropPlainNames(schema)
  mention(schema, '$ref', mentions)
  const discriminator = schema['discriminator']
  if (isObject(discriminator) && isObject(discriminator['mapping']))
    for (const value of Object.keys(discriminator['mapping']))
      mention(discriminator['mapping'], value, mentions)
  for (const keyword in schema) {
    const kind = INSIDE.get(keyword)
    if (kind) visitInside(kind, schema[keyword], mentions)
  }
}

/** Every mention of a definition in a schema, in the order of reading. */
export const findMentions = (schema: JsonSchema): Mention[] => {
  const mentions: Mention[] = []
  visit(schema, mentions)
  return mentions
}
