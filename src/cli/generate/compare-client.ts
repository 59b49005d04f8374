/** Compares a generated client with the one in its folder. */
import { join } from 'node:path'
import type { ClientFiles } from './client-options.ts'
import { lineDiff } from './line-diff.ts'
import { ownedFiles, readIfThere } from './manifest.ts'

/** How many lines of differences are shown. */
const SHOWN = 40

/** One file that is not as it would be generated; `before` or `after` is missing where the file is. */
export interface Difference {
  readonly path: string
  readonly before: string | undefined
  readonly after: string | undefined
}

// A checkout may have given the files the line ends of its system.
const read = async (path: string): Promise<string | undefined> =>
  (await readIfThere(path))?.replaceAll('\r\n', '\n')

/** What differs in a folder from a client; files that are not the generator's don't count. */
export const differences = async (folder: string, files: ClientFiles): Promise<Difference[]> => {
  const paths = new Set([...files.keys(), ...(await ownedFiles(folder))])
  const found = await Promise.all(
    [...paths]
      .sort()
      .map(async (path) => ({ path, before: await read(join(folder, path)), after: files.get(path) })),
  )
  return found.filter(({ before, after }) => before !== after)
}

const describe = (folder: string, { path, before, after }: Difference): string[] => {
  const file = `${folder}/${path}`
  if (before === undefined) return [`+++ ${file} is missing`]
  if (after === undefined) return [`--- ${file} is no longer generated`]
  return [`--- ${file}`, '+++ as it would be generated', ...lineDiff(before, after)]
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

/** Differences for people: the first lines of them, how many there are, and what to do. */
export const reportDifferences = (folder: string, found: readonly Difference[], command: string): string => {
  const lines = found.flatMap((difference) => describe(folder, difference))
  const more = lines.length - SHOWN
  const names = found.map(({ path }) => path)
  return [
    ...lines.slice(0, SHOWN),
    ...(more > 0 ? [`… and ${counted(more, 'more line')}: more differences follow`] : []),
    '',
    `${folder} is stale: ${counted(found.length, 'file')} would change (${names.join(', ')}).`,
    `Run "${command}" to update.`,
  ].join('\n')
}
