/** Finds which definitions say the same, whatever they are called: a component stands for all of them. */
import type { Definition } from './convert.ts'

/** Definitions by what they say; equal classes, equal meaning, followed through every `$ref`. */
export interface Classes {
  classOf(definition: Definition): number
}

/** Gives each distinct text a number. */
const createInterner = () => {
  const known = new Map<string, number>()
  return {
    known,
    intern: (text: string): number => {
      const number = known.get(text) ?? known.size
      known.set(text, number)
      return number
    },
  }
}

/** What a definition says itself, its mentions left blank. */
const ownText = ({ id, json, mentions }: Definition): string => {
  for (const { holder, key } of mentions) holder[key] = ''
  return `${id ?? ''} ${JSON.stringify(json)}`
}

/**
 * Starts from what each says itself and tells apart those that mention different ones, until nothing more
 * comes apart: the coarsest stable partition, so recursion needs no special case.
 */
export const classify = (definitions: readonly Definition[]): Classes => {
  const first = createInterner()
  let classes = new Map(definitions.map((definition) => [definition, first.intern(ownText(definition))]))
  for (let count = -1, next = first.known.size; next !== count;) {
    count = next
    const { known, intern } = createInterner()
    const refine = (definition: Definition): number => {
      const mentioned = definition.mentions.map(({ target }) => classes.get(definition.find(target)))
      return intern([classes.get(definition), ...mentioned].join())
    }
    classes = new Map(definitions.map((definition) => [definition, refine(definition)]))
    next = known.size
  }
  return { classOf: (definition) => classes.get(definition) as number }
}
