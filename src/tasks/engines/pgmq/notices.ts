/**
 * What hosts tell each other: notices in the payload of a notification, which holds a little less than 8000 bytes. What
 * does not fit is left out, with a word that there was something.
 */
import type { TaskLog } from '../../../protocol/task.ts'
import type { News } from './news.ts'

/** A thing to tell. `look` is progress too long to be told: it is in the record. */
export type Notice =
  | { readonly type: 'available'; readonly procedure: string }
  /** To whoever runs this attempt. */
  | { readonly type: 'stop'; readonly id: string; readonly attempt: number }
  | { readonly type: 'look'; readonly id: string }
  /** With what is new, if that is short; else the record is to be read. */
  | { readonly type: 'changed'; readonly id: string; readonly news?: News }
  | { readonly type: 'progress'; readonly id: string; readonly progress: unknown }
  | { readonly type: 'log'; readonly id: string; readonly log: TaskLog }

/** A notification: who speaks, and what of. */
export interface Letter {
  readonly from: string
  readonly notices: readonly Notice[]
}

/** Postgres takes payloads of less than 8000 bytes. */
const MOST_BYTES = 7900

/** The most of a single notice. */
const LONGEST = 6000

/** The most of news: mostly nobody follows the task, and all hosts read it. */
const LONGEST_NEWS = 1000

const bytesOf = (text: string): number => Buffer.byteLength(text)

/** What is said for sure to fit, without counting. */
const fits = (text: string, most: number): boolean => text.length * 3 <= most || bytesOf(text) <= most

/** A notice as it is told, shortened where it is too long. */
export const toText = (notice: Notice): string => {
  const text = JSON.stringify(notice)
  const most = notice.type === 'changed' ? LONGEST_NEWS : LONGEST
  return fits(text, most) ? text : JSON.stringify(shorten(notice))
}

const shorten = (notice: Notice): Notice => {
  if (notice.type === 'changed') return { type: 'changed', id: notice.id }
  if (notice.type === 'progress') return { type: 'look', id: notice.id }
  if (notice.type !== 'log') return notice
  const { level, message, at } = notice.log
  // A character takes at most six bytes in JSON.
  const short = message.length > 800 ? `${message.slice(0, 800)}…` : message
  return { ...notice, log: { level, message: `${short} (the rest is too long for another host)`, at } }
}

const headOf = (from: string): string => `{"from":${JSON.stringify(from)},"notices":[`

/** Notices as texts, put into payloads, in order, as few as hold them. */
export const toPayloads = (from: string, texts: readonly string[]): string[] => {
  const payloads: string[] = []
  const head = headOf(from)
  let items: string[] = []
  let bytes = 0
  const close = (): void => {
    if (items.length > 0) payloads.push(`${head}${items.join(',')}]}`)
    items = []
    bytes = 0
  }
  for (const item of texts) {
    const size = bytesOf(item) + 1
    if (head.length + bytes + size > MOST_BYTES) close()
    items.push(item)
    bytes += size
  }
  close()
  return payloads
}

/** Whether a payload is of this host, which need not read it. */
export const isFrom = (host: string, payload: string): boolean => payload.startsWith(headOf(host))

/** A word that says no more than that somebody is there. */
export const toPing = (from: string): string => `${headOf(from)}]}`

/** A payload read. Undefined for what is none: others may speak on the channel, now or in a later version. */
export const fromPayload = (payload: string | undefined): Letter | undefined => {
  try {
    const letter = JSON.parse(payload ?? '') as Partial<Letter> | null
    return typeof letter?.from === 'string' && Array.isArray(letter.notices) ? (letter as Letter) : undefined
  } catch {
    return undefined
  }
}
