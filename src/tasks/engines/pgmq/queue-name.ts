/** The name of a procedure's queue: what pgmq and the pages of Supabase take, and no two procedures' the same. */
import { createHash } from 'node:crypto'

/** pgmq allows 47 characters; so does Postgres, with what pgmq puts before and after it. */
const LONGEST = 47

const DIGEST = 8

/** `errand_resize`; `errand_countprimes_1f0c9a3e` where letters are lost, for pgmq makes them small. */
export const queueName = (schema: string, procedure: string): string => {
  const name = `${schema}_${procedure.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_')}`
  if (name === `${schema}_${procedure}` && name.length <= LONGEST) return name
  const digest = createHash('sha256').update(procedure).digest('hex').slice(0, DIGEST)
  return `${name.slice(0, LONGEST - DIGEST - 1)}_${digest}`
}
