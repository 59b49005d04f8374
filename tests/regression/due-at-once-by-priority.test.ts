/** Of tasks that came due in the same moment the first to be started ran first, whatever its priority. */
import { procedure } from 'errand'
import { createTestApp } from 'errand/testing'
import { expect, test } from 'vitest'
import { z } from 'zod'

const note = procedure.task({
  input: z.string(),
  output: z.void(),
  concurrency: 1,
  handler: () => undefined,
})

test('tasks that come due in one moment run by their priority', async () => {
  await using app = createTestApp({ note })
  for (const [name, priority] of [
    ['low', -5],
    ['middle', 0],
    ['high', 5],
  ] as const)
    await app.tasks.start(note, name, { delay: '1m', priority })
  await app.clock.advance('1m')
  expect(app.calls(note).map(({ input }) => input)).toEqual(['high', 'middle', 'low'])
})
