/**
 * How many commits were acknowledged, in a small file beside the store.
 *
 * SQLite takes a log that was cut off, or damaged in the middle, for one that ended there: what came after is
 * gone without a word. This file says how far it went. It is written after each commit and not fsynced, so it is
 * never ahead of the store: a killed process leaves it exact, a power cut may leave it some seconds behind.
 */
import { closeSync, constants, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { syncDirectory } from './schema.ts'

/** What a mark says. */
export interface Mark {
  readonly commits: number
  /** Whether no later commit was acknowledged: the store was closed, or the machine has run ever since. */
  readonly exact: boolean
}

/** What there is instead of a mark. */
export type NoMark = 'missing' | 'damaged'

const CLOSED = 'closed'

const readBoot = (): string => {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return 'unknown' // No Linux: a store that was not closed may have met a power cut.
  }
}

const pathOf = (store: string): string => `${store}-mark`

/** Always of one length, so that each line overwrites the one before. */
const toLine = (commits: number, until: string): string => {
  const text = `errand-mark 1 ${String(commits).padStart(16)} ${until.padEnd(36)} `
  return `${text}${String(crc32(text)).padStart(10)}\n`
}

/** The mark beside a store. */
export const readMark = (store: string): Mark | NoMark => {
  if (!existsSync(pathOf(store))) return 'missing'
  const line = readFileSync(pathOf(store), 'latin1')
  const [, commits, until = ''] = /^errand-mark 1 +(\d+) (\S+)/.exec(line) ?? []
  if (commits === undefined || line !== toLine(Number(commits), until)) return 'damaged'
  const boot = readBoot()
  return { commits: Number(commits), exact: until === CLOSED || (until === boot && boot !== 'unknown') }
}

/** The mark of the open store. */
export class CommitMark {
  readonly #file: number
  readonly #boot = readBoot()

  constructor(store: string, commits: number) {
    this.#file = openSync(pathOf(store), constants.O_RDWR | constants.O_CREAT)
    this.write(commits)
    fsyncSync(this.#file)
    syncDirectory(dirname(store))
  }

  /** What it tells of is done, so it must not fail; a mark that stays behind accuses nobody. */
  write(commits: number): void {
    this.#try(commits, this.#boot)
  }

  /** Says that no later commit will be acknowledged. */
  close(commits: number): void {
    this.#try(commits, CLOSED, fsyncSync)
    closeSync(this.#file)
  }

  #try(commits: number, until: string, afterwards: (file: number) => void = () => {}): void {
    try {
      writeSync(this.#file, toLine(commits, until), 0, 'latin1')
      afterwards(this.#file)
    } catch {
      // As said.
    }
  }
}
