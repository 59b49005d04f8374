// node measure.mjs <floor|errand> <count>: one first document in a fresh process, as JSON on stdout.
import { loadErrand } from '../errand.mjs'

const [kind, count] = process.argv.slice(2)
const errand = kind === 'errand' ? await loadErrand() : await import('zod')
const { z } = errand

const declared = await timed(() => Array.from({ length: Number(count) }, (_, i) => declare(i)))
const app = kind === 'errand' && (await timed(() => errand.createApp(asGroups(declared.value))))
const document = () => (app ? app.value.openapi() : declared.value.map(bareSchemas))
const first = await timed(document)
const warm = await timed(document)

console.log(
  JSON.stringify({
    declareMs: declared.cpuMs,
    createAppMs: app ? app.cpuMs : 0,
    firstMs: first.cpuMs,
    firstWallMs: first.wallMs,
    warmMs: warm.cpuMs,
    rssMb: process.memoryUsage.rss() / 2 ** 20,
    kb: JSON.stringify(first.value).length / 1024,
    operations: app ? Object.keys(first.value.paths).length : first.value.length,
  }),
)
process.exit()

async function timed(work) {
  const [cpu, wall] = [process.cpuUsage(), performance.now()]
  const value = await work()
  const { user, system } = process.cpuUsage(cpu)
  return { value, cpuMs: (user + system) / 1000, wallMs: performance.now() - wall }
}

function declare(i) {
  const input = z.object({
    id: z.uuid(),
    kind: z.enum(['standard', 'gold', 'vip']),
    email: z.email().optional(),
    quantity: z.int().min(1).max(100),
    tags: z.array(z.string().max(40)).max(10),
    [`field${i}`]: z.number().min(0),
  })
  const output = z.object({
    id: z.uuid(),
    createdAt: z.iso.datetime(),
    total: z.number(),
    items: z.array(z.object({ sku: z.string(), quantity: z.int(), gift: z.boolean().optional() })),
    [`result${i}`]: z.string().nullable(),
  })
  return { input, output }
}

/** The least anyone can do for the same 2 schemas per procedure. */
function bareSchemas({ input, output }) {
  return [z.toJSONSchema(input, { io: 'input' }), z.toJSONSchema(output, { io: 'output' })]
}

/** Groups of 20, as an application of that size would have. */
function asGroups(schemas) {
  const procedures = schemas.map((pair, i) => [i, errand.procedure.mutation({ ...pair, handler: () => null })])
  const groups = Object.groupBy(procedures, ([i]) => `group${Math.floor(i / 20)}`)
  return Object.fromEntries(
    Object.entries(groups).map(([name, members]) => [
      name,
      Object.fromEntries(members.map(([i, member]) => [`call${i}`, member])),
    ]),
  )
}
