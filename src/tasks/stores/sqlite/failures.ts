/** What SQLite's failures mean for a task store, and what to tell whoever has to mend it. */

/** An error as data: it may cross a thread. */
export interface Failure {
  readonly message: string
  /** SQLite's result code. */
  readonly errcode?: number
}

export const SQLITE_BUSY = 5
const SQLITE_CORRUPT = 11
const SQLITE_NOTADB = 26

/** SQLite's primary result code, without the extension in the upper bits. */
export const errorCode = (error: unknown): number =>
  Number((error as { errcode?: number } | undefined)?.errcode) & 0xff

/** Whether it says that the file is not what it was. */
export const isDamage = (error: unknown): boolean =>
  [SQLITE_CORRUPT, SQLITE_NOTADB].includes(errorCode(error))

export const toFailure = (error: unknown): Failure => {
  const { message, errcode } = error as Failure
  return { message: message ?? String(error), ...(errcode === undefined ? {} : { errcode }) }
}

export const toError = ({ message, ...rest }: Failure): Error => Object.assign(new Error(message), rest)

/** A store that can't be trusted as it is. */
export class DamagedStore extends Error {
  override readonly name = 'DamagedStore'
}

const CURE =
  "Nothing in it was changed. Restore a backup, or start with local({ onDamage: 'salvage' }): it keeps these " +
  'files aside, and goes on with every record that can still be read'

/** Its file is not as it was written. */
export const damaged = (path: string, cause: unknown): DamagedStore =>
  new DamagedStore(`The task store ${path} can't be read: ${(cause as Error).message}. ${CURE}`, { cause })

/** There are changes in its log behind a damaged place. */
export const tornLog = (path: string, what: string): DamagedStore =>
  new DamagedStore(
    `The task store ${path} is damaged: ${what}. ${CURE}. What lies behind the damage is lost then`,
  )

/** No damage, though a flipped bit may look like it. */
export const newer = (path: string, version: number): Error =>
  new Error(
    `The task store ${path} has format ${version}, which this Errand does not know: a newer one may have made it. ` +
      'Nothing in it was changed. Run the newer version, or give this one another directory, or restore a backup.',
  )

/** The file is not there, and what belongs to it is. */
export const missing = (path: string, others: readonly string[]): Error =>
  new Error(
    `The task store ${path} is missing, and there is ${others.join(' and ')}, which belongs to it. ` +
      'Nothing was changed. Put it back, or move the others away too to start empty.',
  )

export const locked = (path: string): Error =>
  new Error(
    `The task store ${path} is in use by another process. Expected: one process per directory. ` +
      'Stop the other one, or give this one a directory of its own (local({ dir }) or ERRAND_DATA), ' +
      'or choose an engine for many processes.',
  )
