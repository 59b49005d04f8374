/** Where a page ended: the age of its last task, as Postgres keeps it. */
import { ProcedureError } from '../../../procedures/errors.ts'
import { isTaskId } from '../../id.ts'

/** A place in the order of age. */
export interface CursorPlace {
  /** Microseconds since the epoch. */
  readonly micros: string
  readonly id: string
}

export const toCursor = ({ micros, id }: CursorPlace): string =>
  Buffer.from(`${micros}/${id}`).toString('base64url')

/** @throws ProcedureError BAD_REQUEST */
export const fromCursor = (cursor: string): CursorPlace => {
  const [, micros, id] = /^(\d{1,18})\/(.+)$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (micros !== undefined && id !== undefined && isTaskId(id)) return { micros, id }
  throw new ProcedureError(
    'BAD_REQUEST',
    `cursor is ${JSON.stringify(cursor)}, expected nextCursor of an earlier page`,
  )
}
