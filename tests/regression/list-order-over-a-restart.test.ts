/** Tasks that were started in the millisecond in which an engine was restarted were listed in no order. */
import { procedure } from 'errand'
import { createTestApp } from 'errand/testing'
import { expect, test } from 'vitest'
import { z } from 'zod'

const note = procedure.task({ input: z.int(), output: z.void(), handler: () => undefined })

test('tasks are listed in the order of their starts over a restart, while the clock stands still', async () => {
  await using app = createTestApp({ note })
  const ids: string[] = []
  for (let n = 0; n < 20; n++) {
    if (n % 5 === 4) {
      await app.crash()
      await app.restart()
    }
    ids.unshift((await app.tasks.start(note, n)).id)
  }
  expect((await app.tasks.list()).items.map(({ id }) => id)).toEqual(ids)
})
