/** A batch of tRPC that is too long a URL is told how to be several: it was a bare 414. */
import { createTRPCClient, httpBatchLink } from '@trpc/client'
import { expect, test } from 'vitest'
import { createApp, inline, procedure } from 'errand'
import { z } from 'zod'

const app = createApp(
  {
    echo: procedure.query({
      input: z.object({ text: z.string() }),
      output: z.string(),
      handler: ({ input }) => input.text,
    }),
  },
  { tasks: inline() },
)

test('a batch link that may make any URL hears of maxURLLength, and with it has its answers', async () => {
  await using server = await app.listen({ port: 0 })
  const askAll = (options: { maxURLLength?: number }): Promise<string[]> => {
    const client = createTRPCClient<typeof app.router>({
      links: [httpBatchLink({ url: `${server.url}/trpc`, ...options })],
    })
    return Promise.all(Array.from({ length: 200 }, (_, n) => client.echo.query({ text: `${n} of many` })))
  }
  await expect(askAll({})).rejects.toThrow('maxURLLength: 8192')
  expect(await askAll({ maxURLLength: 8192 })).toHaveLength(200)
})
