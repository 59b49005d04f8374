/**
 * JSON leaves U+2028 and U+2029 as they are, and a regular expression's `.` takes them for the end of a line: readers
 * of server-sent events lost what came after, and a handle asked for the same broken event for ever.
 */
import { createTRPCClient } from '@trpc/client'
import { createApp, procedure } from 'errand'
import { attachTask, errandLinks, startTask } from 'errand/client'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { ticks } from '../../clients/quickstart/index.ts'
import { local } from '../../src/index.ts'
import { serveApp } from '../support/serve.ts'
import { tempDir } from '../support/temp.ts'

const TEXT = 'one\u2028two\u2029three\u0085four'

const app = createApp(
  {
    says: procedure.subscription({
      input: z.void(),
      output: z.string(),
      handler: async function* () {
        yield TEXT
      },
    }),
    reports: procedure.task({
      input: z.void(),
      output: z.string(),
      progress: z.string(),
      runOn: 'inline',
      handler: ({ progress }) => {
        progress(TEXT)
        return TEXT
      },
    }),
  },
  { profile: 'test', tasks: local({ dir: await tempDir() }) },
)
const { url } = await serveApp(app)
const trpc = createTRPCClient<typeof app.router>({ links: errandLinks({ url }) })

test('a subscription over tRPC keeps line separators', async () => {
  const seen = await new Promise((resolve, reject) =>
    trpc.says.subscribe(undefined, { onData: resolve, onError: reject }),
  )
  expect(seen).toBe(TEXT)
})

test('a handle over tRPC keeps them in progress and result', async () => {
  const task = await startTask(trpc.reports, undefined)
  expect(await task.result()).toBe(TEXT)
  const signal = AbortSignal.timeout(10_000)
  for await (const text of attachTask(trpc.reports, task.id).progress({ signal })) expect(text).toBe(TEXT)
})

test('a generated client keeps them', async () => {
  const body = `data: ${JSON.stringify(TEXT)}\n\nevent: done\ndata: null\n\n`
  const fetch = async () => new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  const seen: unknown[] = []
  for await (const item of (await ticks({ baseUrl: 'http://test', fetch, body: {} })).stream) seen.push(item)
  expect(seen).toEqual([TEXT])
})
