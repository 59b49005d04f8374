/** Two queries: the smallest there are. */
import { procedure } from 'errand'
import { z } from 'zod'

export const add = procedure.query({
  input: z.object({ a: z.number(), b: z.number() }),
  output: z.number(),
  meta: { summary: 'Add two numbers', examples: [{ input: { a: 1, b: 2 }, output: 3 }] },
  handler: ({ input }) => input.a + input.b,
})

export const greet = procedure.query({
  input: z.object({ name: z.string().min(1).default('World') }),
  output: z.string(),
  meta: { summary: 'Greet somebody', examples: [{ input: { name: 'Ada' }, output: 'Hello, Ada!' }] },
  handler: ({ input }) => `Hello, ${input.name}!`,
})
