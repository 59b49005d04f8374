/**
 * The schemas of one document. Whoever builds an operation asks for a schema and gets an object that is
 * filled later, when all are known and converted together.
 */
import type { z } from 'zod'
import { classify } from './classify.ts'
import { convertSchemas, type Converted, type Definition, type Root } from './convert.ts'
import type { JsonSchema } from './json-schema.ts'
import { byText, convertJsonValue, nameDefinitions, sideName } from './name-definitions.ts'
import { capital, Names } from './names.ts'
import type { Side } from './wire-form.ts'

type AnySchema = z.core.$ZodType

/** A component of Errand's own, under the name it gets once the user's have theirs. */
export interface Component {
  /** A fresh `{ $ref }`, with words of its own if need be. */
  ref(description?: string): JsonSchema
  /** Puts the URI at `holder[key]`. */
  point(holder: Record<string, unknown>, key: string): void
}

interface Own {
  readonly wishes: readonly [string, ...string[]]
  readonly body: JsonSchema
  readonly places: { readonly holder: Record<string, unknown>; readonly key: string }[]
}

/** The URI of a component. */
export const componentUri = (name: string): string => `#/components/schemas/${name}`

/** Definitions that anything mentions, each with a name for the case that it has no id. */
const reachable = (converted: ReadonlyMap<Root, Converted>): Map<Definition, string> => {
  const found = new Map<Definition, string>()
  const follow = ({ mentions, find }: Converted, name: string): void => {
    for (const { target } of mentions) {
      const definition = find(target)
      if (found.has(definition)) continue
      found.set(definition, name)
      follow(definition, definition.id === undefined ? name : `${capital(definition.id)}Node`)
    }
  }
  for (const [{ owner, side }, root] of converted) follow(root, sideName(capital(owner), side))
  return found
}

/** Definitions with `z.json()` first, so that every copy of it has its name. */
const withJsonValue = (found: Map<Definition, string>): Map<Definition, string> =>
  [...found.keys()].some(({ id }) => id === undefined)
    ? new Map([[convertJsonValue(), 'JsonValue'], ...found])
    : found

/** Puts names where definitions are mentioned, and gives the components by name. */
const link = (converted: ReadonlyMap<Root, Converted>, names: Names): Map<string, JsonSchema> => {
  const found = reachable(converted)
  const owners = withJsonValue(found)
  const classes = classify([...owners.keys()])
  const byClass = nameDefinitions(owners, classes, names)
  const nameOf = (definition: Definition): string => byClass.get(classes.classOf(definition)) as string
  for (const { mentions, find } of [...converted.values(), ...found.keys()])
    for (const { holder, key, target } of mentions) holder[key] = componentUri(nameOf(find(target)))
  return new Map([...found.keys()].map((definition) => [nameOf(definition), definition.json]))
}

/** Collects the schemas of a document, converts them together, and names what becomes a component. */
export class Components {
  readonly #roots: { readonly root: Root; readonly filled: JsonSchema }[] = []
  readonly #own: Own[] = []
  readonly #names = new Names()

  /** The schema of a side; `owner` is an operationId. */
  schema(schema: AnySchema, side: Side, owner: string): JsonSchema {
    const filled: JsonSchema = {}
    this.#roots.push({ root: { schema, side, owner }, filled })
    return filled
  }

  /** Makes a component of Errand's own; a user's schema with the same id keeps the name. */
  define(wishes: readonly [string, ...string[]], body: JsonSchema): Component {
    const own: Own = { wishes, body, places: [] }
    this.#own.push(own)
    const point = (holder: Record<string, unknown>, key: string): void =>
      void own.places.push({ holder, key })
    return {
      point,
      ref: (description) => {
        const reference: JsonSchema = { ...(description ? { description } : {}), $ref: '' }
        point(reference, '$ref')
        return reference
      },
    }
  }

  /** Fills every schema asked for, and gives the components by name, sorted. */
  settle(): Record<string, JsonSchema> {
    const converted = convertSchemas(this.#roots.map(({ root }) => root))
    const components = link(converted, this.#names)
    for (const { root, filled } of this.#roots) Object.assign(filled, converted.get(root)?.json)
    for (const { wishes, body, places } of this.#own) {
      const name = this.#names.claim(...wishes)
      components.set(name, body)
      for (const { holder, key } of places) holder[key] = componentUri(name)
    }
    return Object.fromEntries([...components].sort(([a], [b]) => byText(a, b)))
  }
}
