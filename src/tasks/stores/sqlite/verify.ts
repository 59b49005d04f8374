/**
 * What is checked when a store is opened, before anything may write to it.
 *
 * Refused is what opening would make worse or what a human may still save. What is gone already is reported,
 * and the rest is opened.
 */
import type { Report } from '../../store.ts'
import { readMark, type Mark, type NoMark } from './commit-mark.ts'
import { damaged, newer, tornLog } from './failures.ts'
import type { Database } from './load.ts'
import { countUnreachable } from './log-tail.ts'
import { isIntact, type Row } from './row.ts'
import { checkHead, checkTables, TOTALS, VERSION, versionOf } from './schema.ts'

/** Who asks. */
export interface VerifyOptions {
  readonly path: string
  /** The first key of the rows that this store is for, and the key after them. */
  readonly range: readonly [string, string | Uint8Array]
  readonly report: Report
}

interface State {
  readonly commits: number
  readonly rows: number
  readonly sum: number
}

/**
 * Looks at the head of the file before SQLite does.
 * @throws DamagedStore
 */
export const verifyHead = (path: string): void => orDamaged(path, () => checkHead(path))

/**
 * Whether the rows are those that were written; if not, that was reported.
 * @throws DamagedStore that says what is wrong and what can be done, or Error for the store of a newer Errand
 */
export const verify = (db: Database, options: VerifyOptions): boolean => {
  const { path } = options
  const version = orDamaged(path, () => versionOf(db))
  if (version > VERSION) throw newer(path, version)
  const state = orDamaged(path, () => readAll(db, options))
  checkLog(state.commits, options)
  return checkRows(db, state, options)
}

const orDamaged = <T>(path: string, look: () => T): T => {
  try {
    return look()
  } catch (error) {
    throw damaged(path, error)
  }
}

const readAll = (db: Database, { range }: VerifyOptions): State => {
  checkTables(db)
  checkTrees(db)
  checkStrays(db, range)
  return readState(db)
}

/** Reads every page. */
const checkTrees = (db: Database): void => {
  const [first] = db.prepare('PRAGMA integrity_check(1)').all()
  const found = String(first?.['integrity_check'])
  if (found !== 'ok') throw new Error(found.replaceAll('\n', ' '))
}

/** A row whose key is damaged may lie where nobody looks for it. */
const checkStrays = (db: Database, [from, to]: VerifyOptions['range']): void => {
  const strays = db.prepare('SELECT key, sum, expires, value FROM entry WHERE key < ? OR key >= ?')
  for (const row of strays.iterate(from, to))
    if (!isIntact(row as unknown as Row)) throw new Error('the key of a row is damaged')
}

const readState = (db: Database): State => {
  const states = db.prepare('SELECT commits, rows, sum FROM state').all()
  const [state] = states
  if (states.length !== 1 || !state || !Object.values(state).every(Number.isSafeInteger))
    throw new Error('its own record of commits and rows is damaged')
  return state as unknown as State
}

/** What the mark and the log say of commits that are not in the store. */
interface Gap {
  /** How many are missing for certain. */
  readonly missing: number
  /** Whether more may be. */
  readonly mayMiss: boolean
  /** How many lie in the log behind a damaged place. */
  readonly unreachable: number
}

const checkLog = (commits: number, options: VerifyOptions): void => {
  const mark = readMark(options.path)
  const gap = { ...compare(commits, mark), unreachable: countUnreachable(options.path) }
  refuseTornLog(gap, options)
  tellOfGap(gap, commits, options)
  if (typeof mark === 'string') tellOfMark(mark, options)
}

const compare = (commits: number, mark: Mark | NoMark): Pick<Gap, 'missing' | 'mayMiss'> =>
  typeof mark === 'string'
    ? { missing: 0, mayMiss: true }
    : { missing: Math.max(0, mark.commits - commits), mayMiss: !mark.exact }

/** A power cut can leave one commit unfinished that nobody heard of. Two can't be: each is fsynced before the next. */
const refuseTornLog = ({ missing, mayMiss, unreachable }: Gap, { path }: VerifyOptions): void => {
  const behind = `${unreachable} in ${path}-wal lie behind a damaged place`
  if (missing > 0 && unreachable > 0)
    throw tornLog(path, `${missing} acknowledged commits are missing, and ${behind}`)
  if (mayMiss && unreachable > 1) throw tornLog(path, `of its commits ${behind}`)
}

const tellOfGap = (gap: Gap, commits: number, { path, report }: VerifyOptions): void => {
  if (gap.missing > 0)
    report(
      `The last ${gap.missing} of ${commits + gap.missing} commits to the task store ${path} are missing, each with ` +
        'one or more changes of tasks. Was it restored from a backup, or its -wal file cut off or removed?',
    )
  else if (gap.mayMiss && gap.unreachable > 0)
    warn(
      report,
      `The last commit to the task store ${path} is incomplete. It was most likely being written when the ` +
        'power failed, and acknowledged to nobody',
    )
}

const tellOfMark = (mark: NoMark, { path, report }: VerifyOptions): void =>
  warn(
    report,
    `${path}-mark is ${mark}, so it can't be told whether the last changes of tasks are all there. ` +
      'Expected when a store was restored from a backup without it',
  )

const warn = (report: Report, message: string): void => report(message, undefined, 'warn')

const checkRows = (db: Database, state: State, { path, report }: VerifyOptions): boolean => {
  const { rows, sum } = db.prepare(TOTALS).get() as unknown as State
  if (rows !== state.rows)
    report(
      `The task store ${path} holds ${rows} rows, and ${state.rows} were written: ` +
        'some are missing, or were added by other means. What is there is used',
    )
  else if (sum !== state.sum)
    report(
      `Not every row of the task store ${path} is as it was written last. Damaged ones are told of one by one; ` +
        'others may be older than they were. What is there is used',
    )
  return rows === state.rows && sum === state.sum
}
