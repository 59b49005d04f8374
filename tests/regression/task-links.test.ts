/** A record's links lead somewhere, whatever an app's routes are. */
import { expect, test } from 'vitest'
import { inline, procedure } from 'errand'
import { z } from 'zod'
import { serve } from '../support/serve.ts'
import { taskOf } from '../support/tasks.ts'

const pack = procedure.task({
  input: z.object({ order: z.string() }),
  output: z.string(),
  meta: { rest: { path: '/orders/{order}/pack' } },
  handler: ({ input }) => input.order,
})

const tree = {
  pack,
  media: { thumb: procedure.task({ input: z.void(), output: z.void(), handler: () => {} }) },
}

test.each(['/media/thumb', '/orders/a%20b%2Fc/pack'])(
  'without the routes by id, links and Location of %s are those of its procedure',
  async (path) => {
    const { call, get, send } = await serve(tree, {
      tasks: inline(),
      prefix: '/api',
      routes: { tasks: false },
    })
    const accepted = await call(`/api${path}/tasks`, path.includes('thumb') ? undefined : {})
    expect(accepted.status, accepted.text).toBe(202)
    const { links } = taskOf(accepted)
    expect(Object.keys(links)).toEqual(['self', 'events', 'cancel'])
    expect(accepted.headers.location).toBe(links['self'])
    expect((await get(`${links['self']}?wait=10`)).json).toMatchObject({ status: 'succeeded', links })
    expect((await get(links['events'] as string)).status).toBe(200)
    expect((await send(`POST ${links['cancel']}`)).status).toBe(200)
  },
)
