import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TaskStatus } from '../../../src/protocol/task.ts'
import type { TaskQuery } from '../../../src/tasks/engine.ts'
import { TaskIndex } from '../../../src/tasks/engines/task-index.ts'
import type { StoredTask } from '../../../src/tasks/stored-task.ts'

const STATUSES = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const satisfies TaskStatus[]

interface Made {
  readonly createdAt: number
  readonly procedure: string
  readonly owner: string | null
  readonly tags: readonly string[]
  readonly status: TaskStatus
}

const toTask = (made: Made, id: string): StoredTask => ({
  ...made,
  id,
  input: null,
  attempt: 0,
  maxAttempts: 1,
  attempts: [],
  priority: 0,
  revision: 1,
})

const made: fc.Arbitrary<Made> = fc.record({
  createdAt: fc.integer({ min: 0, max: 20 }),
  procedure: fc.constantFrom('a', 'b'),
  owner: fc.constantFrom('ann', 'bob', null),
  tags: fc.array(fc.constantFrom('x', 'y', 'z'), { maxLength: 3 }),
  status: fc.constantFrom(...STATUSES),
})

const filter = fc.record(
  {
    procedure: fc.constantFrom('a', 'b', 'none'),
    owner: fc.constantFrom('ann', 'bob', 'none'),
    tag: fc.constantFrom('x', 'y', 'none'),
    status: fc.constantFrom(...STATUSES),
  },
  { requiredKeys: [] },
)

/** A change of the task at a place of the list of all; `undefined` removes it. */
const change = fc.record({
  at: fc.nat({ max: 20 }),
  to: fc.option(fc.constantFrom(...STATUSES), { nil: undefined }),
})

const matches = (
  task: StoredTask,
  { procedure, owner, tag, status }: Omit<TaskQuery, 'limit' | 'cursor'>,
): boolean =>
  (procedure === undefined || task.procedure === procedure) &&
  (owner === undefined || task.owner === owner) &&
  (tag === undefined || task.tags?.includes(tag) === true) &&
  (status === undefined || task.status === status)

const allPages = (index: TaskIndex, query: Omit<TaskQuery, 'cursor'>): string[] => {
  const ids: string[] = []
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
    const page = index.list(cursor === undefined ? query : { ...query, cursor }, 0)
    // A page with a next one is full.
    if (page.nextCursor !== undefined) expect(page.entries).toHaveLength(query.limit)
    ids.push(...page.entries.map(({ id }) => id))
    cursor = page.nextCursor
  }
  return ids
}

test('whatever was added, changed and removed, a list has what its filter lets through, newest first', async () => {
  const tasks = fc.array(made, { maxLength: 200 })
  await fc.assert(
    fc.asyncProperty(
      tasks,
      tasks,
      fc.array(change, { maxLength: 300 }),
      filter,
      fc.integer({ min: 1, max: 60 }),
      async (loaded, added, changes, wanted, limit) => {
        const index = new TaskIndex()
        const known = new Map<string, StoredTask>()
        const remember = (one: Made): StoredTask => {
          const task = toTask(one, `task ${known.size}`)
          known.set(task.id, task)
          return task
        }
        await index.addAll(fromArray(loaded.map(remember)))
        for (const one of added) index.add(remember(one))
        const ids = [...known.keys()]
        for (const { at, to } of changes) {
          const id = ids[at]
          const entry = id === undefined ? undefined : index.find(id, 0)
          if (!id || !entry) continue
          if (to) index.move(entry, to)
          else index.remove(entry)
          if (to) known.set(id, { ...known.get(id)!, status: to })
          else known.delete(id)
        }
        const expected = [...known.values()]
          .filter((task) => matches(task, wanted))
          .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
        expect(allPages(index, { ...wanted, limit })).toEqual(expected.map(({ id }) => id))
        for (const status of STATUSES)
          expect(index.count(status)).toBe(
            [...known.values()].filter((task) => task.status === status).length,
          )
        expect(index.size).toBe(known.size)
      },
    ),
  )
})

async function* fromArray<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values
}

test('of two records with one id, as an adapter may give them, the later counts', async () => {
  const index = new TaskIndex()
  const one = { createdAt: 1, procedure: 'a', owner: null, tags: [], status: 'running' } as const
  await index.addAll(fromArray([toTask(one, 'twin'), toTask({ ...one, status: 'failed' }, 'twin')]))
  expect([index.size, index.count('running'), index.count('failed')]).toEqual([1, 0, 1])
  expect(allPages(index, { limit: 10 })).toEqual(['twin'])
})
