/** `meta.examples` as OpenAPI examples. */
import type { Meta } from '../procedures/meta.ts'
import { given, type MediaType } from './operation-types.ts'

type Examples = NonNullable<MediaType['examples']>

/** Examples of one side by name; the unnamed are numbered. */
export const examplesOf = (
  meta: Meta,
  side: 'input' | 'output',
  show = (value: unknown): unknown => value,
) => {
  const shown: Examples = Object.fromEntries(
    (meta.examples ?? [])
      .map((example, index) => [example.name ?? `example${index + 1}`, example[side]] as const)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, { value: show(value) }]),
  )
  return given('examples', Object.keys(shown).length > 0 ? shown : undefined)
}

/** What the first example has for a field. */
export const exampleOfField = (meta: Meta, field: string) => {
  const [first] = (meta.examples ?? [])
    .map(({ input }) => input)
    .filter((input) => typeof input === 'object' && input !== null)
  return given('example', (first as Record<string, unknown> | undefined)?.[field])
}
