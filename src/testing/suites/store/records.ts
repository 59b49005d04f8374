/** Records for stores to keep. */
import { createTaskId } from '../../../tasks/id.ts'
import { created, ended, started } from '../../../tasks/lifecycle.ts'
import { toPolicy } from '../../../tasks/policy.ts'
import type { StoredTask } from '../../../tasks/stored-task.ts'

const rules = toPolicy({ keep: '1h' })

/** A task that was just started. */
export const newTask = (extra: Partial<StoredTask> = {}): StoredTask => ({
  ...created(
    {
      id: createTaskId(),
      procedure: 'shop.ship',
      input: { a: [1, 'zwei', null] },
      maxAttempts: 3,
      owner: null,
      priority: 0,
    },
    Date.now(),
  ),
  ...extra,
})

/** A task that has succeeded, and is kept for so many ms. */
export const endedTask = (now = Date.now(), keep = rules.keep): StoredTask =>
  ended(
    started(newTask(), now),
    1,
    { kind: 'value', value: { ok: true } },
    { now, rules: { ...rules, keep } },
  )
