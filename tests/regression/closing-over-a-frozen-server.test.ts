/** An app whose server of tasks stands still closes all the same, soon, and leaves nothing that throws later. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { procedure } from 'errand'
import { z } from 'zod'
import { serve } from '../support/serve.ts'
import { TASK_PLACES } from '../support/task-places.ts'

const double = procedure.task({
  input: z.int(),
  output: z.int(),
  runOn: 'inline',
  handler: ({ input }) => 2 * input,
})

/** Milliseconds. What asks a server waits 5 s or 10 s at most, and a close asks a few times. */
const BOUND = 40_000

for (const { name, reason, open } of TASK_PLACES)
  describe.skipIf(reason)(`closing over ${name}`, { timeout: 120_000 }, () => {
    test.each(['frozen', 'killed'])('ends while the server is %s', async (how) => {
      const { server, tasks } = await open()
      const api = await serve({ double }, { tasks })
      expect((await api.call('/double', 4)).json).toBe(8)
      if (how === 'frozen') server.freeze()
      else await server.kill()
      const closed = await Promise.race([
        api.app.close().then(() => 'closed'),
        sleep(BOUND, 'still open', { ref: false }),
      ])
      // What still throws when its connections break, ends the process.
      if (how === 'frozen') await server.kill()
      await sleep(200)
      expect(closed).toBe('closed')
    })
  })
