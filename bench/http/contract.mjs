// What every peer serves: the same schemas and the same handlers, in whatever form its framework wants them.

/** The schemas, from the zod a framework brings: Hono and Errand must not load a second copy. */
export function schemas(z) {
  const currency = z.enum(['EUR', 'USD', 'GBP'])
  const address = z.object({
    line1: z.string().min(1),
    line2: z.string().optional(),
    city: z.string().min(1),
    postcode: z.string().max(12),
    country: z.string().length(2),
  })
  const item = z.object({
    sku: z.string().min(1),
    title: z.string().min(1).max(200),
    quantity: z.int().min(1),
    price: z.number().min(0),
    kind: z.enum(['physical', 'digital']),
    gift: z.boolean().optional(),
    note: z.string().max(500).optional(),
  })
  const customer = z.object({
    name: z.string().min(1),
    email: z.email(),
    phone: z.string().optional(),
    tier: z.enum(['standard', 'gold', 'vip']),
  })
  return {
    add: { input: z.object({ a: z.number(), b: z.number() }), output: z.object({ sum: z.number() }) },
    order: {
      input: z.object({
        id: z.uuid(),
        placedAt: z.iso.datetime(),
        currency,
        customer,
        shipTo: address,
        billTo: address.optional(),
        items: z.array(item).min(1).max(100),
      }),
      output: z.object({
        id: z.uuid(),
        acceptedAt: z.iso.datetime(),
        status: z.enum(['accepted', 'on_hold']),
        currency,
        email: z.email(),
        total: z.number(),
        items: z.array(item.extend({ total: z.number() })),
      }),
    },
    ping: { output: z.object({ pong: z.boolean() }) },
  }
}

const right = {
  add: ({ a, b }) => ({ sum: a + b }),
  order: (order) => {
    const items = order.items.map((item) => ({ ...item, total: item.quantity * item.price }))
    const total = items.reduce((sum, item) => sum + item.total, 0)
    return {
      id: order.id,
      acceptedAt: order.placedAt,
      status: 'accepted',
      currency: order.currency,
      email: order.customer.email,
      total,
      items,
    }
  },
  ping: () => ({ pong: true }),
}

/** Answers that break the output schemas: the check uses them to see that a peer validates outputs. */
const wrong = { add: () => ({ sum: 'three' }), order: () => ({ id: 1 }), ping: () => ({}) }

export const handlers = process.env.BENCH_WRONG_OUTPUT ? wrong : right

export const validOrder = {
  id: '0b9d2f0e-6c1d-4a55-9a53-3f1d3f0a7c11',
  placedAt: '2026-11-23T09:30:00Z',
  currency: 'EUR',
  customer: { name: 'Ada Lovelace', email: 'ada@example.com', tier: 'gold' },
  shipTo: { line1: '12 St James Square', city: 'London', postcode: 'SW1Y 4JH', country: 'GB' },
  items: Array.from({ length: 20 }, (_, i) => ({
    sku: `SKU-${10_000 + i}`,
    title: `Item number ${i}`,
    quantity: 1 + (i % 4),
    price: 9.5 + i,
    kind: i % 3 ? 'physical' : 'digital',
    ...(i % 2 ? { gift: true } : {}),
  })),
}
