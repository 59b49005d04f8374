/** Puts a generated client into its folder: all of it or, when it can't be, nothing. */
import { mkdir, mkdtemp, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CliError } from '../cli-error.ts'
import type { ClientFiles } from './client-options.ts'
import { isMarked, MANIFEST, manifestText, ownedFiles, readIfThere } from './manifest.ts'

/** Refuses to overwrite what somebody else wrote, and to take it for ours when it happens to be the same. */
const checkForeign = async (
  folder: string,
  files: ClientFiles,
  owned: ReadonlySet<string>,
): Promise<void> => {
  const foreign: string[] = []
  for (const path of files.keys()) {
    const there = owned.has(path) ? undefined : await readIfThere(join(folder, path))
    if (there !== undefined && !isMarked(there)) foreign.push(path)
  }
  if (foreign.length === 0) return
  throw new CliError(
    `${folder} has ${foreign.join(', ')}, which errand did not generate and would overwrite.\n` +
      'Nothing was changed. Choose another folder with --out, or move that away.',
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

const writeList = async (folder: string, paths: Iterable<string>): Promise<void> =>
  moveIn(folder, await changedFiles(folder, new Map([[MANIFEST, manifestText(paths)]])))

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
  // What comes is listed before it is there, so that another run can complete one that was cut off.
  const listed = new Set([...owned, ...files.keys()])
  if (listed.size > owned.size) await writeList(folder, listed)
  await moveIn(folder, changed)
  for (const path of gone) {
    await rm(join(folder, path), { force: true })
    await removeEmpty(folder, path)
  }
  // What has gone leaves the list after it is removed.
  await writeList(folder, files.keys())
  return { changed: changed.length, removed: gone.length }
}
