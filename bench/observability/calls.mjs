// What is called: nothing but a call, one with much to check, and one as most are, that asks a database.
const item = (n) => ({ sku: `sku-${n}`, title: `Article number ${n} of the order`, count: n, price: 9.99 })

const INPUTS = {
  add: { a: 1, b: 2 },
  order: { items: Array.from({ length: 20 }, (_, n) => item(n)) },
  lookup: { id: 500 },
}

/** Bodies by call. */
export const bodies = Object.fromEntries(Object.entries(INPUTS).map(([call, input]) => [call, JSON.stringify(input)]))

/** The table that `lookup` reads. */
export const TABLE = `
  create table customer (id int primary key, name text not null, city text not null, since date not null);
  insert into customer select n, 'Customer ' || n, 'City ' || n % 100, date '2020-01-01' + n from generate_series(1, 1000) n`

/** The procedures. `pool` is one of pg. */
export function declare({ procedure, z }, pool) {
  const Order = z.object({
    items: z.array(z.object({ sku: z.string(), title: z.string(), count: z.int(), price: z.number() })),
  })
  return {
    add: procedure.mutation({
      input: z.object({ a: z.number(), b: z.number() }),
      output: z.object({ sum: z.number() }),
      handler: ({ input }) => ({ sum: input.a + input.b }),
    }),
    order: procedure.mutation({ input: Order, output: Order, handler: ({ input }) => input }),
    lookup: procedure.mutation({
      input: z.object({ id: z.int() }),
      output: z.object({ id: z.int(), name: z.string(), city: z.string(), since: z.string() }),
      handler: async ({ input }) => {
        const text = 'select id, name, city, since::text from customer where id = $1'
        const { rows } = await pool.query({ name: 'lookup', text, values: [input.id] })
        return rows[0]
      },
    }),
  }
}
