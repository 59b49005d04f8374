/** An app's OpenAPI document as a file: pretty, and the same bytes for the same app. */
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { OpenApiDocument } from '../openapi/document.ts'

const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : a > b ? 1 : 0)

const sorted = <T extends object>(record: T): T =>
  Object.fromEntries(Object.entries(record).sort(byName)) as T

const sortedParts = (components: object): object =>
  Object.fromEntries(
    Object.entries(sorted(components)).map(([kind, parts]) => [kind, sorted(parts as object)]),
  )

/** Paths and components by name. The rest keeps its order: the fields of a schema are as declared. */
const arranged = (document: OpenApiDocument): object => ({
  ...document,
  ...(document.paths ? { paths: sorted(document.paths) } : {}),
  ...(document.components ? { components: sortedParts(document.components) } : {}),
})

/** The document as text. */
export const documentText = (document: OpenApiDocument): string =>
  `${JSON.stringify(arranged(document), null, 2)}\n`

/** Writes a file whole or not at all, and the folders it needs. */
export const writeWhole = async (file: string, text: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true })
  const half = `${file}.${process.pid}.tmp`
  await writeFile(half, text)
  await rename(half, file)
}
