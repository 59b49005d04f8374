/** Swagger UI's files: beside this module in a built package, in `node_modules` in a checkout. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { gzip } from 'node:zlib'
import { promisify } from 'node:util'

/** The files of Swagger UI that the page loads, with their content types. */
export const REFERENCE_FILES = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
} as const

/** Name of one of the files. */
export type ReferenceFile = keyof typeof REFERENCE_FILES

/** A file's bytes, as they are and compressed. */
export interface FileBytes {
  readonly plain: Uint8Array
  readonly gzip: Uint8Array
}

const compress = promisify(gzip)

const inCheckout = (name: string): string => createRequire(import.meta.url).resolve(`swagger-ui-dist/${name}`)

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

const read = (name: string): Promise<Uint8Array> =>
  readFile(new URL(`./reference/${name}`, import.meta.url)).catch((error: unknown) => {
    if (isMissing(error)) return readFile(inCheckout(name))
    throw error
  })

const load = async (name: string): Promise<FileBytes> => {
  const plain = await read(name)
  return { plain, gzip: await compress(plain) }
}

const loaded = new Map<ReferenceFile, Promise<FileBytes>>()

/** Reads a file when it is first asked for. */
export const referenceFile = (name: ReferenceFile): Promise<FileBytes> => {
  const bytes = loaded.get(name) ?? load(name)
  loaded.set(name, bytes)
  bytes.catch(() => loaded.delete(name))
  return bytes
}
