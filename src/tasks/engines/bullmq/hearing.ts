/** What events of BullMQ mean to a fleet. */
import type { TaskLog } from '../../../protocol/task.ts'
import type { QueueListener } from '../fleet/shared-queue.ts'
import { toEnding, toProgress } from './job-codec.ts'
import { withEnding } from './stored-task-of.ts'
import type { PlaceEvent, PlaceListener } from './place.ts'

export interface HearingParts {
  readonly listener: QueueListener
  /** This host: what it says itself it has told already. */
  readonly self: string
  /** Whether a task is one of this process, which has heard of it; once. */
  isAnnounced(id: string): boolean
  /** Whether all hosts together may run only so many of a procedure: then each end makes room. */
  isLimited(procedure: string): boolean
  due(procedure: string, at: number): void
  changed(event: PlaceEvent): void
  cancelled(id: string): void
  /** A task that is watched here: what it is now, unless its end is about to be told. */
  look(id: string): Promise<void>
  missed(): void
}

type Meaning = (parts: HearingParts, event: PlaceEvent) => void

/** Milliseconds in which most attempts end: whoever watches from afar hears of their beginning after that. */
const SOON = 20

/** Reads a task if it is watched. A reading may be ahead of the events, of which none is to be passed over. */
const lookAt = ({ listener, look }: HearingParts, id: string): void =>
  listener.changed(id, (known) => {
    void look(id)
    return known
  })

const changed: Meaning = (parts, event) => {
  parts.changed(event)
  lookAt(parts, event.id)
}

const available: Meaning = (parts, event) => {
  changed(parts, event)
  parts.listener.available(event.procedure)
}

/** Of a new task nobody can know anything yet. */
const waiting: Meaning = (parts, event) => {
  if (event.fields['prev'] !== undefined) return available(parts, event)
  parts.changed(event)
  if (!parts.isAnnounced(event.id)) parts.listener.available(event.procedure)
}

const active: Meaning = (parts, event) => {
  parts.changed(event)
  setTimeout(() => lookAt(parts, event.id), SOON).unref()
}

/** The event brings the whole end: it need not be read again. */
const completed: Meaning = (parts, event) => {
  parts.changed(event)
  const ending = toEnding(parse(event.fields['returnvalue']))
  if (ending) parts.listener.changed(event.id, (known) => withEnding(known, ending))
  else parts.listener.changed(event.id)
  if (parts.isLimited(event.procedure)) parts.listener.available(event.procedure)
}

const roomMade: Meaning = (parts, event) => {
  changed(parts, event)
  if (parts.isLimited(event.procedure)) parts.listener.available(event.procedure)
}

/** By the names that BullMQ gives them, and ours. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  waiting,
  stalled: available,
  active,
  completed,
  failed: roomMade,
  removed: changed,
  delayed: (parts, event) => {
    roomMade(parts, event)
    parts.due(event.procedure, Number(event.fields['delay']))
  },
  progress: ({ listener, self }, { id, fields }) => {
    const note = toProgress(parse(fields['data']))
    if (note && note.by !== self) listener.progress(id, note.value)
  },
  log: ({ listener, self }, { id, fields: { log, by } }) => {
    if (by !== self) listener.log(id, parse(log) as TaskLog)
  },
  cancel: (parts, event) => {
    changed(parts, event)
    parts.cancelled(event.id)
    parts.listener.cancelRequested(event.id, toAttempt(event.fields['attempt']))
  },
}

const toAttempt = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text)

const parse = (text = ''): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // Others may write to a stream too.
  }
}

export const createHearing = (parts: HearingParts): PlaceListener => ({
  event: (event) => Object.hasOwn(MEANINGS, event.name) && MEANINGS[event.name]?.(parts, event),
  available: (procedure) => parts.listener.available(procedure),
  missed: () => {
    parts.missed()
    parts.listener.missed()
  },
})
