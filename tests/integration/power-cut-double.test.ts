/** The same promise without a disk: over a store that takes a write at once, and dies before it is durable. */
import { setImmediate as turn } from 'node:timers/promises'
import { createApp, local, procedure } from 'errand'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

/** A row is written at once and durable some turns later, unless the power was cut: with the write of this number. */
class CachedDisk {
  readonly opts = { dialect: 'sqlite', url: '' }
  readonly exclusive = true
  readonly durable = new Map<string, unknown>()
  readonly #written = new Map<string, unknown>()
  readonly #turns: number
  readonly #lastWrite: number
  readonly #cut = Promise.withResolvers<void>()
  readonly #back = Promise.withResolvers<void>()
  #writes = 0

  constructor(turns: number, lastWrite: number) {
    this.#turns = turns
    this.#lastWrite = lastWrite
  }

  /** Resolves when the power is cut. */
  get cut(): Promise<void> {
    return this.#cut.promise
  }

  on(): void {}

  async set(key: string, value: unknown): Promise<boolean> {
    this.#written.set(key, value)
    if (++this.#writes === this.#lastWrite) this.#cut.resolve()
    for (let n = 0; n < this.#turns; n++) await turn()
    if (this.#writes < this.#lastWrite) this.durable.set(key, value)
    else await this.#back.promise
    return true
  }

  async get(key: string): Promise<unknown> {
    return this.#written.get(key)
  }

  async delete(key: string): Promise<boolean> {
    return this.#written.delete(key)
  }

  async clear(): Promise<void> {}

  async *iterator(): AsyncGenerator<unknown[]> {
    yield* this.durable
  }

  /** Lets those go who wait for what will never be durable. */
  release(): void {
    this.#back.resolve()
  }
}

const work = procedure.task({
  input: z.object({ n: z.number() }),
  output: z.number(),
  runOn: 'inline',
  handler: ({ input }) => input.n,
})

const appOver = (store: unknown) =>
  createApp({ work }, { tasks: local({ store: store as never }), profile: 'test' })

type Works = ReturnType<typeof appOver>

/** Starts tasks one after the other, and keeps the ids of those that were answered 202. */
const startSome = async (app: Works, acknowledged: Set<string>): Promise<void> => {
  for (let n = 0; n < 10; n++) {
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ n })
    const answer = await app.fetch(new Request('http://x/work/tasks', { method: 'POST', headers, body }))
    if (answer.status !== 202) return
    acknowledged.add(((await answer.json()) as { id: string }).id)
  }
}

/** What was acknowledged by the time the power was cut, and what of it is not on the disk. */
const cutPower = async (turnsToDisk: number, lastWrite: number) => {
  const disk = new CachedDisk(turnsToDisk, lastWrite)
  const app = appOver(disk)
  const acknowledged = new Set<string>()
  const starting = Array.from({ length: 8 }, () => startSome(app, acknowledged))
  await disk.cut
  for (let n = 0; n < 20; n++) await turn()
  const told = [...acknowledged]
  disk.release()
  await Promise.all(starting)
  await app.close()

  const next = appOver(disk.durable)
  const found = await Promise.all(told.map((id) => next.tasks.get(id)))
  await next.close()
  return { told, lost: told.filter((_, index) => found[index] === undefined) }
}

describe('a store that dies between a write and its fsync', () => {
  it('has every task that was answered 202', async () => {
    let told = 0
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 120 }),
        async (disk, cut) => {
          const acknowledged = await cutPower(disk, cut)
          told += acknowledged.told.length
          expect(acknowledged.lost).toEqual([])
        },
      ),
      { numRuns: 40 },
    )
    expect(told).toBeGreaterThan(100)
  })
})
