/** What an earlier process left running when it ended. */
import type { EngineHost } from '../engine.ts'
import { recovered } from '../lifecycle.ts'
import type { Ledger } from './ledger.ts'
import { rulesOf } from './rules.ts'

/** Progress raises the revision in memory alone: after a restart none of those may come again. */
const RESTART = 2 ** 32

/** What ran when the process before ended was lost; that attempt counts. */
export const recover = async (ledger: Ledger, host: EngineHost): Promise<void> => {
  const running = ledger.index.live().filter(({ status }) => status === 'running')
  const reason = 'The process ended while the attempt ran'
  await ledger.changeAll(running, (task) => {
    const next = recovered(task, { now: host.clock.now(), rules: rulesOf(host, task.procedure), reason })
    return { ...next, revision: next.revision + RESTART }
  })
}
