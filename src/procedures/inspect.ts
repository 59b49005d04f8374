/** One walk over a schema: what JSON can't hold in it, and the facts that later steps plan with. */
import type { z } from 'zod'
import { notJson } from './json.ts'
import { streamContentType } from './stream.ts'

/** Which way values go through a schema. */
export type Direction = 'input' | 'output'

/** Something in a schema that can't be on the wire. */
export interface Refusal {
  /** Where: keys, `[]` for an element, from the schema's root. */
  readonly path: string
  readonly problem: string
  readonly cure: string
}

/** What a walk finds. */
export interface Inspection {
  readonly refusals: readonly Refusal[]
  /** Holds a codec, default or the like, so that encoding isn't the same as parsing. */
  readonly directional: boolean
  /** Holds `unknown` or `any`, whose values must be checked for JSON. */
  readonly opaque: boolean
  /** Holds a file. */
  readonly file: boolean
  /** Every schema with a `meta.id`, by id. */
  readonly named: ReadonlyMap<string, z.core.$ZodType>
}

// zod's definitions are a union of sixty shapes; the walk asks for the few members it knows by name.
// oxlint-disable-next-line typescript/no-explicit-any -- sixty shapes
export type AnyDef = any

export const defOf = (schema: z.core.$ZodType): AnyDef => schema._zod.def

const ISO_CODEC =
  'use a codec: z.codec(z.iso.datetime(), z.date(), { decode: (s) => new Date(s), encode: (d) => d.toISOString() })'

const CURES: Record<string, string> = {
  date: ISO_CODEC,
  bigint:
    'use a codec over a string: z.codec(z.string().regex(/^-?\\d+$/), z.bigint(), { decode: BigInt, encode: String })',
  map: 'use z.record(), or a codec over an array of pairs',
  set: 'use z.array(), or a codec over one',
  symbol: 'use a string or z.enum()',
  function: 'leave it out: code does not travel',
  custom:
    'use a codec from a JSON schema to it: z.codec(z.object({ … }), z.instanceof(…), { decode, encode })',
  nan: 'use z.number(), or z.null()',
  promise: 'give the schema of the value itself; handlers may be async anyway',
  undefined: 'use .optional() on the field, or z.null()',
  void: 'z.void() is allowed as a whole input or output; inside, use .optional() or z.null()',
}

interface Walk {
  readonly direction: Direction
  readonly refusals: Refusal[]
  readonly named: Map<string, z.core.$ZodType>
  readonly visited: Set<z.core.$ZodType>
  directional: boolean
  opaque: boolean
  file: boolean
}

type Step = (walk: Walk, def: AnyDef, path: string) => void

const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)

const refuse = (walk: Walk, path: string, problem: string, cure: string): void => {
  walk.refusals.push({ path, problem, cure })
}

const inner: Step = (walk, def, path) => visit(walk, def.innerType, path)
const innerDirectional: Step = (walk, def, path) => {
  walk.directional = true
  visit(walk, def.innerType, path)
}

const pipe: Step = (walk, def, path) => {
  walk.directional = true
  const isCodec = typeof def.reverseTransform === 'function'
  const first: string = defOf(def.in).type
  if (isCodec) return visit(walk, def.in, path)
  if (first === 'transform') return preprocess(walk, def, path)
  visit(walk, def.in, path)
  // An output goes through both, backwards. What comes after an input's wire type is the handler's own business.
  if (walk.direction === 'output') visit(walk, def.out, path)
}

const preprocess: Step = (walk, def, path) => {
  if (walk.direction === 'output')
    refuse(
      walk,
      path,
      'a preprocess step',
      'shape the value in the handler: an output is encoded on its way out',
    )
  visit(walk, def.out, path)
}

const object: Step = (walk, def, path) => {
  for (const [key, field] of Object.entries<z.core.$ZodType>(def.shape)) visit(walk, field, join(path, key))
  if (def.catchall) visit(walk, def.catchall, join(path, '*'))
}

const tuple: Step = (walk, def, path) => {
  def.items.forEach((item: z.core.$ZodType, index: number) => visit(walk, item, `${path}[${index}]`))
  if (def.rest) visit(walk, def.rest, `${path}[]`)
}

const transform: Step = (walk, _def, path) => {
  if (walk.direction === 'output')
    return refuse(
      walk,
      path,
      'a one-way transform',
      'use z.codec() with decode and encode: an output is encoded on its way out',
    )
  refuse(
    walk,
    path,
    'a bare transform, whose wire type is unknown',
    'put a schema before it: z.string().transform(…)',
  )
}

const literal: Step = (walk, def, path) => {
  for (const value of def.values)
    if (notJson(value))
      refuse(
        walk,
        path,
        `the literal ${String(value)}, which JSON can't hold`,
        'use a string or a number, or .optional() for undefined',
      )
}

const file: Step = (walk, _def, path) => {
  walk.file = true
  if (walk.direction === 'output' && path !== '')
    refuse(
      walk,
      path,
      'a file inside a value',
      'make z.file() the whole output, or send a URL or base64 text',
    )
}

const STEPS: Record<string, Step> = {
  object,
  tuple,
  pipe,
  array: (walk, def, path) => visit(walk, def.element, `${path}[]`),
  record: (walk, def, path) => {
    visit(walk, def.keyType, path)
    visit(walk, def.valueType, join(path, '*'))
  },
  union: (walk, def, path) => def.options.forEach((option: z.core.$ZodType) => visit(walk, option, path)),
  intersection: (walk, def, path) => {
    visit(walk, def.left, path)
    visit(walk, def.right, path)
  },
  optional: inner,
  nullable: inner,
  nonoptional: inner,
  readonly: inner,
  success: inner,
  default: innerDirectional,
  prefault: innerDirectional,
  catch: innerDirectional,
  lazy: (walk, def, path) => visit(walk, def.getter(), path),
  transform,
  literal,
  unknown: (walk) => void (walk.opaque = true),
  any: (walk) => void (walk.opaque = true),
  file,
}

const metaId = (schema: z.core.$ZodType): string | undefined =>
  (schema as { meta?: () => { id?: string } | undefined }).meta?.()?.id

const note = (walk: Walk, schema: z.core.$ZodType, path: string): void => {
  const id = metaId(schema)
  if (id === undefined) return
  const known = walk.named.get(id)
  if (known && known !== schema)
    refuse(
      walk,
      path,
      `a second schema with the id ${JSON.stringify(id)}`,
      'give each schema its own .meta({ id })',
    )
  walk.named.set(id, schema)
}

const visit = (walk: Walk, schema: z.core.$ZodType, path: string): void => {
  if (walk.visited.has(schema)) return
  walk.visited.add(schema)
  note(walk, schema, path)
  const def = defOf(schema)
  const step = STEPS[def.type]
  if (step) return step(walk, def, path)
  const cure = CURES[def.type]
  if (cure) refuse(walk, path, `z.${def.type}(), which JSON can't hold`, cure)
}

const isWhole = (schema: z.core.$ZodType): boolean =>
  ['void', 'undefined', 'never'].includes(defOf(schema).type) || streamContentType(schema) !== undefined

/** Walks a schema once. */
export const inspectSchema = (schema: z.core.$ZodType, direction: Direction): Inspection => {
  const walk: Walk = {
    direction,
    refusals: [],
    named: new Map(),
    visited: new Set(),
    directional: false,
    opaque: false,
    file: false,
  }
  if (direction === 'input' && streamContentType(schema) !== undefined)
    refuse(walk, '', 'a stream(), which is for outputs', 'use z.object({ file: z.file() }) for an upload')
  if (!isWhole(schema)) visit(walk, schema, '')
  return walk
}
