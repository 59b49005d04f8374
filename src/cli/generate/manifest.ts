/** Which files of a folder are the generator's: a list that it leaves there. All else is the user's. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MARK } from './complete-client.ts'

/** The list's own file. */
export const MANIFEST = '.errand-client.json'

const ABOUT = 'Files that errand generates here, and may remove.'

/** The list of some files. */
export const manifestText = (paths: Iterable<string>): string =>
  `${JSON.stringify({ about: ABOUT, files: [...paths] }, null, 2)}\n`

/** A file's text, or undefined when there is none. */
export const readIfThere = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  })

/** The files that were generated into a folder. */
export const ownedFiles = async (folder: string): Promise<ReadonlySet<string>> => {
  const text = await readIfThere(join(folder, MANIFEST))
  const { files = [] } = text === undefined ? {} : (JSON.parse(text) as { files?: readonly string[] })
  // A path that leads elsewhere was not written by us.
  return new Set(files.filter((path) => !path.split('/').includes('..') && !path.startsWith('/')))
}

/** Whether a file's text says that it was generated, for when the list is lost. */
export const isMarked = (text: string): boolean => text.startsWith(MARK)
