/** What changes of a record, as hosts tell it to each other: whoever knows the record need not read it again. */
import type { StoredTask } from '../../stored-task.ts'

/** The fields that never change: not told. */
const LASTING = [
  'id',
  'procedure',
  'input',
  'owner',
  'carried',
  'trace',
  'idempotencyKey',
  'inputDigest',
  'priority',
  'tags',
  'createdAt',
] as const satisfies readonly (keyof StoredTask)[]

type Lasting = (typeof LASTING)[number]

/** All other fields, as they are now. */
export type News = Omit<StoredTask, Lasting>

const IS_LASTING: ReadonlySet<string> = new Set(LASTING)

/** Copied by hand: it is done for each change of each task. */
const only = (task: StoredTask, isLasting: boolean): object => {
  const part: Record<string, unknown> = {}
  for (const name in task) if (IS_LASTING.has(name) === isLasting) part[name] = task[name as keyof StoredTask]
  return part
}

/** What to tell of a record. */
export const newsOf = (task: StoredTask): News => only(task, false) as News

/** A known record with the news of it. */
export const renewed = (known: StoredTask, news: News): StoredTask =>
  ({ ...only(known, true), ...news }) as StoredTask
