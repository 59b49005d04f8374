/** Task ids: UUIDv7 (RFC 9562 §5.7), ordered by time, with 74 fresh random bits each. */
import { randomFillSync } from 'node:crypto'

const POOL = Buffer.alloc(16 * 256)
let used = POOL.length

const fresh = (): Buffer => {
  if (used === POOL.length) {
    randomFillSync(POOL)
    used = 0
  }
  used += 16
  return POOL.subarray(used - 16, used)
}

/** A new id. */
export const createTaskId = (now = Date.now()): string => {
  const bytes = fresh()
  bytes.writeUIntBE(now, 0, 6)
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x70
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** Whether a text has the form of an id; saves the engine a look-up of anything else. */
export const isTaskId = (text: string): boolean =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(text)
