/** Compares secrets so that the time it takes tells nothing of them, not even how long they are. */
import { createHash, timingSafeEqual } from 'node:crypto'

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Whether a text is the secret. Never when there is no secret, or an empty one. */
export const sameSecret = (given: string, secret: string | undefined): boolean =>
  timingSafeEqual(digest(given), digest(secret ?? '')) && secret !== undefined && secret !== ''
