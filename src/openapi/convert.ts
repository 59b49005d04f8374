/** Converts schemas with zod's own `z.toJSONSchema`, many at a time. Nothing here runs a refinement. */
import { z } from 'zod'
import { findMentions, type JsonSchema, type Mention } from './json-schema.ts'
import { toWireForm, type Side } from './wire-form.ts'

type AnySchema = z.core.$ZodType

/** A schema to convert. */
export interface Root {
  readonly schema: AnySchema
  readonly side: Side
  /** Whose it is: names what is recursive and has no id, and says where a conversion failed. */
  readonly owner: string
}

/** A converted schema. */
export interface Converted {
  readonly json: JsonSchema
  readonly mentions: readonly Mention[]
  /** Finds what a mention names. */
  readonly find: (target: string) => Definition
}

/** A schema that others mention: it has an id, or contains itself. */
export interface Definition extends Converted {
  /** Its `meta.id`. */
  readonly id: string | undefined
  readonly side: Side
}

// Fewer, and zod repeats what schemas share; more, and its bookkeeping outgrows the heap's young generation.
const BATCH = 32

// zod asks of each schema whether anything in it transforms. With this first it need not search a whole batch.
const FIRST = z.codec(z.string(), z.string(), { decode: (text) => text, encode: (text) => text })

const ANONYMOUS = /^__schema\d+$/

const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b)

/**
 * Finishes each schema zod has converted. A schema made from one with an id, as by `.describe()`, is a `$ref`
 * with what it adds; what it only repeats is dropped, after both have their wire form.
 */
const createFinish = (side: Side) => {
  /** What mentions stand for: of schemas with an id, and of those made from them. */
  const meant = new Map<AnySchema, JsonSchema>()
  return (json: JsonSchema, schema: AnySchema): void => {
    toWireForm(json, schema, side)
    const base = '$ref' in json && schema._zod.parent ? meant.get(schema._zod.parent) : undefined
    for (const key of base ? Object.keys(json) : [])
      if (key !== '$ref' && same(json[key], base?.[key])) delete json[key]
    if (base || 'id' in json) meant.set(schema, base ?? json)
  }
}

const toJson = (shape: Record<string, AnySchema>, side: Side): z.core.JSONSchema.BaseSchema => {
  const finish = createFinish(side)
  return z.toJSONSchema(z.object({ first: FIRST, ...shape }), {
    io: side === 'parsed' ? 'output' : 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => finish(jsonSchema as JsonSchema, zodSchema),
  })
}

const cause = (root: Root): unknown => {
  try {
    toJson({ root: root.schema }, root.side)
    return undefined
  } catch (error) {
    return error
  }
}

const convertBatch = (roots: readonly Root[], side: Side) => {
  try {
    return toJson(Object.fromEntries(roots.map(({ schema }, index) => [`root${index}`, schema])), side)
  } catch (error) {
    const culprit = roots.find((root) => cause(root) !== undefined)
    if (!culprit) throw error
    const reason = (cause(culprit) as Error).message
    throw new Error(`The ${side} schema of ${culprit.owner} has no JSON Schema: ${reason}`, { cause: error })
  }
}

/** Converts the schemas of one side. What has an id is kept once; what has none belongs to its batch. */
const convertSide = (roots: readonly Root[], side: Side, done: Map<Root, Converted>): void => {
  const withId = new Map<string, Definition>()
  for (let start = 0; start < roots.length; start += BATCH) {
    const batch = roots.slice(start, start + BATCH)
    const { properties = {}, $defs = {} } = convertBatch(batch, side)
    const withoutId = new Map<string, Definition>()
    const home = (key: string) => (ANONYMOUS.test(key) ? withoutId : withId)
    const find = (target: string): Definition => home(target).get(target) as Definition
    const convert = (json: unknown): Converted => ({
      json: json as JsonSchema,
      mentions: findMentions(json as JsonSchema),
      find,
    })
    for (const [key, json] of Object.entries($defs))
      if (!home(key).has(key))
        home(key).set(key, { ...convert(json), id: home(key) === withId ? key : undefined, side })
    for (const [index, root] of batch.entries()) done.set(root, convert(properties[`root${index}`]))
  }
}

/** Converts all roots. */
export const convertSchemas = (roots: readonly Root[]): ReadonlyMap<Root, Converted> => {
  const done = new Map<Root, Converted>()
  for (const side of ['output', 'input', 'parsed'] as const) {
    const own = roots.filter((root) => root.side === side)
    convertSide(own, side, done)
  }
  return done
}
