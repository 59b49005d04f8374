/** Flattens the record given to `createApp` into procedures with their dotted paths, and compiles each. */
import type { AnyTRPCProcedure, AnyTRPCRouter } from '@trpc/server'
import { nameProblem } from '../protocol/paths.ts'
import { compileCall, type Call } from '../procedures/call.ts'
import { defOf, inspectSchema } from '../procedures/inspect.ts'
import type { Middleware } from '../procedures/middleware.ts'
import { OPTIONS_OF } from '../procedures/declare.ts'
import { definitionOf, isProcedure, type Definition, type Kind } from '../procedures/procedure.ts'
import { isRate, RATE } from '../procedures/rate.ts'
import { streamContentType } from '../procedures/stream.ts'
import { compileSubscription } from '../procedures/subscription-call.ts'
import { compileAdmission, type Admit } from '../procedures/task-call.ts'
import { sizeProblem } from './body-limit.ts'
import { compileForeign, foreignDefinition } from './foreign.ts'

/** A procedure with its place in the app. */
export interface Entry {
  /** Dotted path. */
  readonly path: string
  readonly kind: Kind
  readonly definition: Definition
  /** As its author declared it, without the app's middleware: what a procedure is known by. */
  readonly declared: Definition
  /** Queries, mutations, subscriptions. */
  readonly call?: Call
  /** Tasks. */
  readonly admit?: Admit
  /** Takes a file or answers with bytes, so it has no place in a tRPC router. */
  readonly restOnly: boolean
  /** Set for a procedure made by plain tRPC. */
  readonly foreign?: AnyTRPCProcedure
}

/** Something that `createApp` refuses. */
export interface Complaint {
  /** Dotted path of the procedure. */
  readonly at: string
  readonly text: string
}

type Visit = (path: string, value: unknown) => void

const isRouter = (value: unknown): value is AnyTRPCRouter =>
  typeof (value as AnyTRPCRouter)?._def === 'object' && (value as AnyTRPCRouter)._def.router

const isForeign = (value: unknown): value is AnyTRPCProcedure =>
  typeof value === 'function' && (value as unknown as AnyTRPCProcedure)._def?.procedure

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

const transformerProblem = (router: AnyTRPCRouter): string | undefined =>
  router._def._config.transformer.output.serialize(PROBE) === PROBE
    ? undefined
    : 'its tRPC router has a transformer: the wire is the same JSON on every door. Use zod codecs for rich types instead'

const PROBE = Symbol('probe')

// A declaration that nobody gave to `procedure`: a record of procedures has no schemas in it.
const isBareDeclaration = (value: unknown): boolean =>
  isRecord(value) && [value['input'], value['output']].some((side) => isRecord(side) && '_zod' in side)

const UNWRAPPED =
  'this is a declaration and not yet a procedure: wrap it in procedure.query({ … }), .mutation, .subscription or .task'

/** Walks the tree and gives every procedure, foreign or not, with its dotted path. */
const walk = (tree: unknown, visit: Visit, complain: (complaint: Complaint) => void): void => {
  const enter = (value: unknown, path: string): void => {
    if (isProcedure(value) || isForeign(value)) return visit(path, value)
    if (isRouter(value)) {
      const problem = transformerProblem(value)
      if (problem) return complain({ at: path || '(the router)', text: problem })
      return children(value._def.record as Record<string, unknown>, path)
    }
    if (isBareDeclaration(value)) return complain({ at: path, text: UNWRAPPED })
    if (isRecord(value)) return children(value, path)
    complain({
      at: path,
      text: `expected a procedure or a record of procedures, and it is ${describe(value)}`,
    })
  }
  const children = (record: Record<string, unknown>, path: string): void => {
    for (const [name, value] of Object.entries(record)) {
      const at = path === '' ? name : `${path}.${name}`
      const problem = nameProblem(name)
      if (problem) complain({ at, text: `${problem}: rename it` })
      else enter(value, at)
    }
  }
  enter(tree, '')
}

const describe = (value: unknown): string => {
  if (value === undefined) return 'missing'
  return value === null ? 'null' : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`
}

const wholeSchemaProblem = (schema: unknown, what: string): string | undefined =>
  isRecord(schema) && '_zod' in schema
    ? undefined
    : `${what} is ${describe(schema)}, expected a zod 4 schema: use z.void() for none`

const isBytes = (definition: Definition): boolean =>
  streamContentType(definition.output) !== undefined ||
  inspectSchema(definition.output, 'output').file ||
  inspectSchema(definition.input, 'input').file

const compileEntry = (path: string, declared: Definition, use: readonly Middleware[]): Entry => {
  const definition = under(use, declared)
  const common = { path, kind: definition.kind, definition, declared, restOnly: isBytes(definition) }
  if (definition.kind === 'task') return { ...common, admit: compileAdmission(path, definition) }
  if (definition.kind === 'subscription') return { ...common, call: compileSubscription(path, definition) }
  return { ...common, call: compileCall(path, definition) }
}

const foreignEntry = (path: string, procedure: AnyTRPCProcedure): Entry => {
  const definition = foreignDefinition(procedure)
  return {
    path,
    kind: definition.kind,
    definition,
    declared: definition,
    restOnly: false,
    call: compileForeign(path, procedure),
    foreign: procedure,
  }
}

/** Every schema of a definition: what it is called, and which way values go through it. */
const schemasOf = (definition: Definition) =>
  [
    ['input', definition.input, 'input'],
    ['output', definition.output, 'output'],
    ...(definition.progress ? [['progress', definition.progress, 'output'] as const] : []),
    ...Object.entries(definition.errors).flatMap(([code, { data }]) =>
      data ? [[`errors.${code}.data`, data, 'output'] as const] : [],
    ),
  ] as const

const placeIn = (side: string, path: string): string =>
  path === '' || path.startsWith('[') ? side + path : `${side}.${path}`

const refusals = (definition: Definition): string[] =>
  schemasOf(definition).flatMap(([side, schema, direction]) =>
    inspectSchema(schema, direction).refusals.map(
      ({ path, problem, cure }) => `${placeIn(side, path)} is ${problem}; ${cure}`,
    ),
  )

const statusProblems = (definition: Definition): string[] =>
  Object.entries(definition.errors)
    .filter(([, { status }]) => !(Number.isInteger(status) && status >= 400 && status <= 599))
    .map(
      ([code, { status }]) =>
        `errors.${code}.status is ${String(status)}, expected an HTTP status from 400 to 599`,
    )

const taskFileProblem = (definition: Definition): string[] =>
  definition.kind === 'task' && isBytes(definition)
    ? [
        'a task keeps its input and output as JSON, so files and streams can not be in them; use base64 text or a URL',
      ]
    : []

const rateProblems = ({ meta: { rateLimit } }: Definition): string[] =>
  rateLimit === undefined || isRate(rateLimit)
    ? []
    : [`meta.rateLimit is ${JSON.stringify(rateLimit)}, expected ${RATE}`]

/** What is wrong with a definition, in sentences. */
const problemsOf = (definition: Definition): string[] => {
  const whole = [
    wholeSchemaProblem(definition.input, 'input'),
    wholeSchemaProblem(definition.output, 'output'),
    typeof definition.handler === 'function'
      ? undefined
      : `handler is ${describe(definition.handler)}, expected a function`,
  ].filter((problem) => problem !== undefined)
  const unknown = definition.unknownOptions.map(
    (key) =>
      `unknown option ${JSON.stringify(key)} of a ${definition.kind}, expected one of ${OPTIONS_OF[definition.kind].join(', ')}`,
  )
  if (whole.length > 0) return [...whole, ...unknown]
  const size = sizeProblem(definition.meta.bodyLimit)
  return [
    ...(size ? [size] : []),
    ...rateProblems(definition),
    ...unknown,
    ...refusals(definition),
    ...statusProblems(definition),
    ...taskFileProblem(definition),
  ]
}

const under = (use: readonly Middleware[], definition: Definition): Definition =>
  use.length === 0 ? definition : { ...definition, middlewares: [...use, ...definition.middlewares] }

/** Flattens and compiles, each under the app's own middleware; what is wrong is told to `complain` and left out. */
export const collectEntries = (
  tree: unknown,
  complain: (complaint: Complaint) => void,
  use: readonly Middleware[] = [],
): Entry[] => {
  const entries: Entry[] = []
  walk(
    tree,
    (path, value) => {
      if (isForeign(value)) return void entries.push(foreignEntry(path, value))
      const definition = definitionOf(value as never)
      const problems = problemsOf(definition)
      for (const text of problems) complain({ at: path, text })
      if (problems.length === 0) entries.push(compileEntry(path, definition, use))
    },
    complain,
  )
  return entries
}

/** Complains of two schemas that share a `meta.id` anywhere in the app, as one component can't be both. */
export const checkSchemaIds = (entries: readonly Entry[], complain: (complaint: Complaint) => void): void => {
  const known = new Map<string, { schema: unknown; at: string }>()
  for (const { path, definition } of entries)
    for (const [, schema, direction] of schemasOf(definition))
      for (const [id, named] of inspectSchema(schema, direction).named) {
        const first = known.get(id) ?? { schema: named, at: path }
        known.set(id, first)
        if (first.schema !== named)
          complain({
            at: path,
            text: `two schemas have the id ${JSON.stringify(id)}, the other in ${first.at}; give each its own .meta({ id })`,
          })
      }
}

/** Whether a schema takes or gives nothing. */
export const isVoid = (schema: Definition['input']): boolean =>
  ['void', 'undefined'].includes(defOf(schema).type)
