/**
 * Zod keeps what one parse has seen on its context object. A context shared by all calls answered a later call with
 * what an earlier one had found, and kept every input alive.
 */
import { createApp, procedure } from 'errand'
import { expect, test } from 'vitest'
import { z } from 'zod'

const Node = z.object({
  name: z.string(),
  get children() {
    return z.array(Node)
  },
})

const app = createApp({
  rename: procedure.mutation({ input: Node, output: Node, handler: ({ input }) => input }),
})

test('an input that changed between two calls is read anew', async () => {
  const shared = { name: 'before', children: [] as { name: string; children: [] }[] }
  const first = await app.caller({}).rename(shared)
  shared.name = 'after'
  shared.children.push({ name: 'child', children: [] })
  const second = await app.caller({}).rename(shared)
  expect([first.name, second]).toEqual([
    'before',
    { name: 'after', children: [{ name: 'child', children: [] }] },
  ])
})
