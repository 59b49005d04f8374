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

const isLasting = (name: string): boolean => (LASTING as readonly string[]).includes(name)

const only = (task: StoredTask, isWanted: (name: string) => boolean): object =>
  Object.fromEntries(Object.entries(task).filter(([name]) => isWanted(name)))

/** What to tell of a record. */
export const newsOf = (task: StoredTask): News => only(task, (name) => !isLasting(name)) as News

/** A known record with the news of it. */
export const renewed = (known: StoredTask, news: News): StoredTask =>
  ({ ...only(known, isLasting), ...news }) as StoredTask
