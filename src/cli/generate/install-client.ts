/** Puts a generated client into its folder: all of it or, when it can't be, nothing. */
import { mkdir, mkdtemp, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CliError } from '../cli-error.ts'
import type { ClientFiles } from './client-options.ts'
import { isMarked, MANIFEST, manifestText, ownedFiles, readIfThere } from './manifest.ts'

/** Refuses to overwrite what somebody else wrote. */
const checkForeign = async (
  folder: string,
  files: ClientFiles,
  owned: ReadonlySet<string>,
): Promise<void> => {
  const foreign: string[] = []
  for (const [path, text] of files) {
    const there = owned.has(path) ? undefined : await readIfThere(join(folder, path))
    if (there !== undefined && there !== text && !isMarked(there)) foreign.push(path)
  }
  if (foreign.length === 0) return
  throw new CliError(
    `${folder} has ${foreign.join(', ')}, which errand did not generate and would overwrite.\n` +
      'Move that away, or choose another folder with --out.',
  )
}

const changedFiles = async (folder: string, files: ClientFiles): Promise<[string, string][]> => {
  const changed: [string, string][] = []
  for (const [path, text] of files)
    if ((await readIfThere(join(folder, path))) !== text) changed.push([path, text])
  return changed
}

const writeAll = async (folder: string, files: Iterable<[string, string]>): Promise<void> => {
  for (const [path, text] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
}

/** Removes folders that are empty now, from the innermost out, but not the outermost. */
const removeEmpty = async (folder: string, path: string): Promise<void> => {
  for (let inner = dirname(path); inner !== '.'; inner = dirname(inner)) {
    try {
      await rmdir(join(folder, inner))
    } catch {
      return
    }
  }
}

/** Writes beside the folder first and moves file by file, so that a full disk or a crash leaves whole files. */
const moveIn = async (folder: string, files: readonly [string, string][]): Promise<void> => {
  if (files.length === 0) return
  await mkdir(dirname(folder), { recursive: true })
  const stage = await mkdtemp(join(dirname(folder), `.${basename(folder)}-`))
  try {
    await writeAll(stage, files)
    for (const [path] of files) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await rename(join(stage, path), join(folder, path))
    }
  } finally {
    await rm(stage, { recursive: true, force: true })
  }
}

/** What was done to a folder. */
export interface Installed {
  readonly changed: number
  readonly removed: number
}

/** Writes what differs, and removes what an earlier run generated and this one didn't. */
export const installClient = async (folder: string, files: ClientFiles): Promise<Installed> => {
  const owned = await ownedFiles(folder)
  await checkForeign(folder, files, owned)
  const changed = await changedFiles(folder, files)
  const gone = [...owned].filter((path) => !files.has(path))
  await moveIn(folder, changed)
  for (const path of gone) {
    await rm(join(folder, path), { force: true })
    await removeEmpty(folder, path)
  }
  // The list comes last: until then the one before it says what is ours, and another run completes this one.
  await moveIn(folder, await changedFiles(folder, new Map([[MANIFEST, manifestText(files)]])))
  return { changed: changed.length, removed: gone.length }
}
