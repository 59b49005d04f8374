/** Which procedures have queues, on whichever host: needed to find a task by its id, to list and to count. */
import type { FoundJob, JobRef, Place } from './place.ts'

/** Ids whose procedure is remembered: it never changes. */
const REMEMBERED = 20_000

export interface KnownProceduresParts {
  readonly place: Place
  /** There are more than before. */
  grown(procedures: readonly string[]): Promise<void>
}

export class KnownProcedures {
  readonly #parts: KnownProceduresParts
  readonly #names = new Set<string>()
  readonly #registered = new Map<string, Promise<void>>()
  readonly #byId = new Map<string, string>()

  constructor(parts: KnownProceduresParts) {
    this.#parts = parts
  }

  get names(): readonly string[] {
    return [...this.#names]
  }

  /** Reads which there are. */
  async refresh(): Promise<readonly string[]> {
    const names = await this.#parts.place.procedures()
    await this.#grow(names)
    return this.names
  }

  /** Makes sure that all hosts can find tasks of these. */
  async add(procedures: readonly string[]): Promise<void> {
    const missing = procedures.filter((procedure) => !this.#registered.has(procedure))
    if (missing.length > 0) {
      const registering = this.#register(missing)
      for (const procedure of missing) this.#registered.set(procedure, registering)
    }
    for (const procedure of procedures) await this.#registered.get(procedure)
  }

  /** Where a task is; asks all queues when nobody has spoken of it here. */
  async find(id: string): Promise<FoundJob | undefined> {
    const known = this.#byId.get(id)
    const found = known === undefined ? await this.#search(id) : await this.#read({ procedure: known, id })
    if (found) this.remember(found)
    return found
  }

  remember({ procedure, id }: JobRef): void {
    this.#byId.delete(id)
    this.#byId.set(id, procedure)
    if (this.#byId.size > REMEMBERED) this.#byId.delete(this.#byId.keys().next().value as string)
  }

  async #search(id: string): Promise<FoundJob | undefined> {
    const before = this.#names.size
    // Both at once: it may be of a version that came just now, and an id that nobody has costs no more than one of others.
    const [found] = await Promise.all([this.#parts.place.find(id, this.names), this.refresh()])
    if (found) return found
    return this.#names.size > before ? this.#parts.place.find(id, this.names) : undefined
  }

  async #read(ref: JobRef): Promise<FoundJob | undefined> {
    const [raw] = await this.#parts.place.read([ref])
    return raw && { ...ref, raw }
  }

  async #register(procedures: readonly string[]): Promise<void> {
    try {
      await this.#parts.place.register(procedures)
      await this.#grow(procedures)
    } catch (error) {
      for (const procedure of procedures) this.#registered.delete(procedure)
      throw error
    }
  }

  async #grow(procedures: readonly string[]): Promise<void> {
    const before = this.#names.size
    for (const procedure of procedures) this.#names.add(procedure)
    if (this.#names.size > before) await this.#parts.grown(this.names)
  }
}
