/** What `errand/testing` infers from procedures. */
import { createProcedure, procedure, type TaskHandle } from 'errand'
import { startTask } from 'errand/client'
import { createTestApp, type Call, type NamedCall } from 'errand/testing'
import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'

const isoDate = z.codec(z.iso.datetime(), z.date(), {
  decode: (s) => new Date(s),
  encode: (d) => d.toISOString(),
})

const add = procedure.query({
  input: z.object({ a: z.number(), at: isoDate }),
  output: z.number(),
  handler: ({ input }) => input.a,
})
const ship = procedure.task({
  input: z.object({ order: z.string() }),
  output: z.object({ at: isoDate }),
  progress: z.object({ percent: z.number() }),
  handler: () => ({ at: new Date() }),
})
const ticks = procedure.subscription({
  input: z.void(),
  output: z.object({ tick: z.number() }),
  handler: async function* () {
    yield { tick: 1 }
  },
})
const whoami = createProcedure<{ user: string }>().query({
  input: z.void(),
  output: z.string(),
  handler: ({ ctx }) => ctx.user,
})

const app = createTestApp({ add, shop: { ship }, ticks })

test('calls have the wire types of their procedure', () => {
  expectTypeOf(app.calls(add)).toEqualTypeOf<readonly Call<{ a: number; at: string }, number>[]>()
  expectTypeOf(app.calls(ship)).toEqualTypeOf<readonly Call<{ order: string }, { at: string }>[]>()
  expectTypeOf(app.calls(ticks)).toEqualTypeOf<readonly Call<void, never>[]>()
  expectTypeOf(app.calls()).toEqualTypeOf<readonly NamedCall[]>()
})

test('clients are typed by the app', () => {
  expectTypeOf(app.trpc.add.query).parameter(0).toEqualTypeOf<{ a: number; at: string }>()
  expectTypeOf(app.caller({}).add).returns.resolves.toEqualTypeOf<number>()
  expectTypeOf(startTask(app.trpc.shop.ship, { order: 'a' })).resolves.toEqualTypeOf<
    TaskHandle<{ at: string }, { percent: number }>
  >()
})

test('a context is that of the app', () => {
  const owned = createTestApp({ whoami }, { createContext: () => ({ user: 'ada' }) })
  expectTypeOf(owned.as).parameter(0).toEqualTypeOf<{ user: string }>()
  // @ts-expect-error an option that a test app does not take
  createTestApp({ add }, { profile: 'production' })
})
