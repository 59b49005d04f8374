/**
 * A host of bullmq() heard late of a cancel: the task had ended, was queued again by hand, and ran on that very host. The
 * new attempt was stopped, and the task ended as cancelled once more, which nobody had asked for.
 */
import { describe, expect, test } from 'vitest'
import { failure, FakeHost, untilAborted } from 'errand/testing/suites'
import { afterwards } from '../support/afterwards.ts'
import { createBullmqEngine, freshName } from '../support/bullmq-place.ts'
import { placeAt, startServers } from '../support/bullmq-steps.ts'
import { endOf, start } from '../support/engine.ts'
import { until } from '../support/until.ts'

describe.each(await startServers())('bullmq() on $name', ({ url }) => {
  const name = freshName()

  const join = async (host: FakeHost) => {
    const engine = createBullmqEngine(url!, { name })
    await engine.open(host)
    engine.work(host.procedures)
    afterwards(() => engine.close())
    return engine
  }
  const openPlace = async () => {
    const place = placeAt(url!, name)
    await place.open(() => {})
    afterwards(() => place.close())
    return place
  }

  test.skipIf(!url)('a cancel of an attempt does nothing to a later one', async () => {
    const host = new FakeHost().on('long', untilAborted(failure()))
    const [engine, caller, place] = [await join(host), await join(new FakeHost()), await openPlace()]
    const begun = (id: string, attempt: number) =>
      until(`attempt ${attempt} of ${id}`, () =>
        host.claims.find(({ task }) => task.id === id && task.attempt === attempt),
      )
    const [again, other] = [await start(caller, 'long'), await start(caller, 'long')]
    await begun(again, 1)
    await caller.cancel(again)
    await endOf(caller, again)
    await caller.retry(again)
    const [second, untouched] = [await begun(again, 2), await begun(other, 1)]
    await place.tell({ procedure: 'long', id: again }, 'cancel', { attempt: '1' })
    await caller.cancel(other)
    // Events are heard in their order.
    await until('the cancel that comes after it', () => untouched.signal.aborted)
    expect(second.signal.aborted).toBe(false)
    expect(await engine.get(again)).toMatchObject({ status: 'running', attempt: 2 })
    expect(await engine.get(again)).not.toHaveProperty('cancelRequested')
  })
})
