/**
 * Idempotency keys: which task a key stands for, decided in one step where all hosts see it.
 *
 * A key is taken before its task is written. Whoever finds a key without a task, because its taker was killed between
 * the two or is about to write, writes the task under the id that the key names: of two that do so, one has no effect.
 */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Submitted } from '../../engine.ts'
import type { StoredTask } from '../../stored-task.ts'
import type { Place } from './place.ts'

export interface KeyBookParts {
  readonly place: Place
  /** The task behind an id, and whether its time is over. */
  look(id: string): Promise<{ readonly task: StoredTask; readonly isOver: boolean } | undefined>
  write(task: StoredTask): Promise<void>
}

/** Milliseconds within which the task of a key is about to be written; past that the key is nobody's. */
const FRESH = 10_000

/** Milliseconds that another input waits to learn of the task it conflicts with. */
const LONGEST_WAIT = 2000

export class KeyBook {
  readonly #parts: KeyBookParts

  constructor(parts: KeyBookParts) {
    this.#parts = parts
  }

  async submit(task: StoredTask): Promise<Submitted> {
    const key = keyOf(task)
    const mine = entryOf(task)
    let held = await this.#parts.place.claimKey(key, mine)
    for (const giveUpAt = performance.now() + LONGEST_WAIT; held !== mine;) {
      const found = await this.#found(held, task, giveUpAt)
      if (found === 'wait') await sleep(20)
      else if (found !== 'free') return found
      held = await this.#parts.place.claimKey(key, mine, found === 'free' ? held : undefined)
    }
    await this.#parts.write(task)
    return { kind: 'created', task }
  }

  /** Before a task is removed: its key is free. */
  async free(task: StoredTask): Promise<void> {
    if (task.idempotencyKey !== undefined) await this.#parts.place.freeKey(keyOf(task), `${task.id} `)
  }

  async #found(held: string, task: StoredTask, giveUpAt: number): Promise<Submitted | 'wait' | 'free'> {
    const { id, digest, at } = readEntry(held)
    const holder = await this.#parts.look(id)
    if (holder && !holder.isOver)
      return {
        kind: holder.task.inputDigest === task.inputDigest ? 'replayed' : 'conflict',
        task: holder.task,
      }
    if (holder || Date.now() - at > FRESH) return 'free'
    if (digest !== task.inputDigest) return performance.now() < giveUpAt ? 'wait' : 'free'
    const adopted = { ...task, id }
    await this.#parts.write(adopted)
    return { kind: 'replayed', task: adopted }
  }
}

/** Keys are a user's words, of any length and with any characters. */
const keyOf = ({ owner, procedure, idempotencyKey }: StoredTask): string =>
  createHash('sha256')
    .update(JSON.stringify([owner, procedure, idempotencyKey]))
    .digest('base64url')

const entryOf = ({ id, inputDigest = '' }: StoredTask): string => `${id} ${inputDigest} ${Date.now()}`

const readEntry = (entry: string): { id: string; digest: string; at: number } => {
  const [id = '', digest = '', at = '0'] = entry.split(' ')
  return { id, digest, at: Number(at) }
}
