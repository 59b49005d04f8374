/** Names the components that come from user's schemas. */
import { z } from 'zod'
import type { Classes } from './classify.ts'
import { convertSchemas, type Definition } from './convert.ts'
import { toComponentName, type Names } from './names.ts'
import type { Side } from './wire-form.ts'

/** What is given names a schema; what is taken differs from it in defaults alone and says so. */
const RANK: Readonly<Record<Side, number>> = { output: 0, parsed: 1, input: 2 }
const SUFFIX: Readonly<Record<Side, string>> = { output: 'Output', input: 'Input', parsed: 'Parsed' }

/** Orders texts the same on every machine. */
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** The name of what an operation takes or gives: `GetTreeOutput`. */
export const sideName = (owner: string, side: Side): string => owner + SUFFIX[side]

/** The definition behind every `z.json()`. */
export const convertJsonValue = (): Definition => {
  const root = { schema: z.json(), side: 'input', owner: 'z.json()' } as const
  const { mentions, find } = convertSchemas([root]).get(root)!
  return find(mentions[0]!.target)
}

/**
 * Names of classes. A schema whose input and output differ is `X` where it is given and `XInput` where it is
 * taken; one without an id has the name of the operation that reaches it first.
 *
 * @param owners every definition, with the name to give it when it has no id
 */
export const nameDefinitions = (
  owners: ReadonlyMap<Definition, string>,
  { classOf }: Classes,
  names: Names,
): ReadonlyMap<number, string> => {
  const given = new Map<number, string>()
  const name = (definition: Definition, ...wishes: readonly [string, ...string[]]): void => {
    const number = classOf(definition)
    if (!given.has(number)) given.set(number, names.claim(...wishes))
  }
  const withId = [...owners.keys()]
    .filter((definition): definition is Definition & { id: string } => definition.id !== undefined)
    .sort((a, b) => byText(a.id, b.id) || RANK[a.side] - RANK[b.side])
  for (const [index, definition] of withId.entries())
    if (withId[index - 1]?.id !== definition.id) name(definition, toComponentName(definition.id))
  for (const definition of withId) name(definition, sideName(toComponentName(definition.id), definition.side))
  for (const [definition, wish] of owners) name(definition, toComponentName(wish))
  return given
}
