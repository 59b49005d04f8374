/**
 * Keyv that hides nothing. It and its adapters turn failures into values where they can: a failed `set` resolves `false`,
 * a failed `get` looks like an absent key, a walk that breaks off like one that came to its end, and all that is left of
 * it is an `error` event. Here everything but an explicit success throws.
 */
import { Keyv } from 'keyv'
import { rowsOf, type Adapter, type RawRow } from './adapter.ts'
import { decodeEnvelope, encodeEnvelope } from './record-codec.ts'

/** An adapter that swallows errors unless it is told not to. */
interface Swallows {
  throwOnErrors?: unknown
}

/** One adapter under one namespace. */
export class KeyvAccess {
  readonly #adapter: Adapter
  readonly #namespace: string
  readonly #keyv: Keyv
  /** The last failure that the adapter told of by an event. */
  #told: unknown

  constructor(adapter: Adapter, namespace: string) {
    this.#adapter = adapter
    this.#namespace = namespace
    if ((adapter as Swallows).throwOnErrors === false) (adapter as Swallows).throwOnErrors = true
    this.#keyv = new Keyv({
      store: adapter,
      namespace,
      throwOnErrors: true,
      serialize: encodeEnvelope,
      deserialize: decodeEnvelope as never, // Keyv wants it generic in a type that no parser can know.
    })
    // It also keeps the process alive: an adapter's `error` event that nobody hears would end it.
    this.#keyv.on('error', (error: unknown) => {
      this.#told = error ?? new Error('It did not say why')
    })
  }

  /** Undefined for a key that is not there. */
  async get(key: string): Promise<unknown> {
    const before = this.#told
    const value: unknown = await this.#keyv.get(key)
    if (value === undefined) this.#throwIfTold(before)
    return value
  }

  async set(key: string, value: unknown, ttl?: number): Promise<void> {
    const before = this.#told
    if (!(await this.#keyv.set(key, value, ttl)))
      throw new Error(`The store refused to write ${key} and did not say why`)
    this.#throwIfTold(before)
  }

  async delete(key: string): Promise<void> {
    const before = this.#told
    if (!(await this.#keyv.delete(key))) this.#throwIfTold(before)
  }

  /** All rows of the adapter, as it gives them; those of others are told apart by `undefined`. */
  async *rows(): AsyncGenerator<RawRow | undefined> {
    const before = this.#told
    yield* rowsOf(this.#adapter, this.#namespace)
    this.#throwIfTold(before)
  }

  async disconnect(): Promise<void> {
    await this.#keyv.disconnect()
  }

  #throwIfTold(before: unknown): void {
    if (this.#told !== before) throw this.#told
  }
}
