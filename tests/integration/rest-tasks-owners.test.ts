/** Whose a task is. */
import { describe, expect, test } from 'vitest'
import { serveWork, taskOf, type Task } from '../support/tasks.ts'

describe('tasks of several owners', async () => {
  const options = {
    createContext: ({ headers }: { headers: Headers }) => ({
      ...(headers.get('x-user') ? { user: headers.get('x-user') as string } : {}),
      admin: headers.get('x-admin') === 'yes',
    }),
    owner: ({ user }: { user?: string }) => user ?? null,
    admin: ({ admin }: { admin: boolean }) => admin,
  }
  const own = await serveWork({ threads: 1 }, options)
  const [ada, bob, root, stranger] = [
    { 'x-user': 'ada' },
    { 'x-user': 'bob' },
    { 'x-admin': 'yes' },
    {},
  ] as Record<string, string>[]
  const mine = taskOf(await own.call('/mine/tasks', { secret: 'of Ada' }, ada))
  await own.get(`/tasks/${mine.id}?wait=20`, ada)
  const nobodys = taskOf(await own.call('/anyones/tasks', {}))
  await own.get(`/tasks/${nobodys.id}?wait=20`)

  test('carry what they were allowed to into the worker', async () => {
    expect(taskOf(await own.get(`/tasks/${mine.id}`, ada))).toMatchObject({
      status: 'succeeded',
      result: 'ada has of Ada',
    })
  })

  test('are refused to strangers by their middleware, before the schema', async () => {
    expect((await own.call('/mine', { wrong: 1 })).status).toBe(401)
    expect((await own.call('/mine/tasks', { wrong: 1 })).status).toBe(401)
  })

  test('are 404 to everyone else, whatever is done to them', async () => {
    for (const who of [bob, stranger]) {
      for (const path of ['', '/status', '/result', '/events'])
        expect((await own.get(`/tasks/${mine.id}${path}`, who)).status).toBe(404)
      for (const [method, path] of [
        ['POST', '/cancel'],
        ['POST', '/retry'],
        ['DELETE', ''],
      ])
        expect(
          (await own.send(`${method} /tasks/${mine.id}${path}`, { headers: who as Record<string, string> }))
            .status,
        ).toBe(404)
      expect((await own.get(`/mine/tasks/${mine.id}`, who)).status).toBe(404)
    }
  })

  test('look to others exactly as those that are not there', async () => {
    const missing = mine.id.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
    const [real, unreal] = [await own.get(`/tasks/${mine.id}`, bob), await own.get(`/tasks/${missing}`, bob)]
    expect(real.text.replaceAll(mine.id, 'ID')).toBe(unreal.text.replaceAll(missing, 'ID'))
  })

  test('are listed to their owner, to admins with their input, and to nobody else', async () => {
    const list = async (who: Record<string, string> = {}) =>
      ((await own.get('/tasks', who)).json as { items: Task[] }).items
    expect((await list(ada)).map(({ id }) => id)).toEqual([mine.id])
    expect(await list(bob)).toEqual([])
    expect(await list(stranger)).toEqual([])
    const all = await list(root)
    expect(all.map(({ id }) => id)).toEqual([nobodys.id, mine.id])
    expect(all[1]).toMatchObject({ input: { secret: 'of Ada' } })
    expect((await list(ada))[0]).not.toHaveProperty('input')
  })

  test('of nobody can be read by their id', async () => {
    for (const who of [ada, bob, stranger])
      expect((await own.get(`/tasks/${nobodys.id}`, who)).status).toBe(200)
  })

  test('have idempotency keys of their own', async () => {
    const key = { 'idempotency-key': 'same' }
    const ids = await Promise.all(
      [ada, bob].map(async (who) => taskOf(await own.call('/anyones/tasks', {}, { ...who, ...key })).id),
    )
    expect(new Set(ids).size).toBe(2)
    expect((await own.call('/anyones/tasks', { ms: 1 }, { ...ada, ...key })).status).toBe(422)
  })

  test('may be stopped by admins', async () => {
    const { id } = taskOf(await own.call('/anyones/tasks', {}, { ...ada, 'task-delay': '1h' }))
    expect(
      (await own.send(`POST /tasks/${id}/cancel`, { headers: root as Record<string, string> })).status,
    ).toBe(200)
  })

  test('are not listed at all in the production profile until somebody owns them', async () => {
    const { get: ask } = await serveWork({ threads: 1 }, { profile: 'production' })
    expect((await ask('/tasks')).status).toBe(403)
  })
})
