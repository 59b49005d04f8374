/** What stands around a handler: middleware, the context, and a caller who may go. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createProcedure, procedure, ProcedureError } from 'errand'
import { z } from 'zod'
import { problemOf } from '../support/http.ts'
import { openRaw } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { until } from '../support/until.ts'

describe('middleware', async () => {
  const steps: string[] = []
  const base = createProcedure<{ token?: string }>()
  const traced = (name: string) =>
    base.use(async ({ next }) => {
      steps.push(`${name} in`)
      const result = await next()
      steps.push(`${name} out`)
      return result
    })
  const user = base.use(async ({ ctx, next }) => {
    if (ctx.token !== 'good') throw new ProcedureError('UNAUTHORIZED', 'Who are you?')
    return next({ ctx: { user: { name: 'Ada' } } })
  })
  const output = z.string()
  const handler = () => 'done'
  const { call, logs } = await serve(
    {
      ordered: traced('one')
        .use(async ({ next }) => {
          steps.push('two in')
          const result = await next()
          steps.push('two out')
          return result
        })
        .mutation({
          input: z.string().refine((text) => steps.push('parse') > 0 && text !== ''),
          output,
          handler: () => {
            steps.push('handler')
            return 'done'
          },
        }),
      named: user.mutation({
        input: z.object({ n: z.number() }),
        output,
        handler: ({ ctx }) => `${ctx.user.name} ${ctx.token}`,
      }),
      shadows: user
        .use(async ({ ctx, next }) => next({ ctx: { token: `${ctx.token}!`, more: ctx.user.name.length } }))
        .mutation({
          input: z.void(),
          output,
          handler: ({ ctx }) => `${ctx.token} ${ctx.more} ${ctx.user.name}`,
        }),
      twice: base
        .use(async ({ next }) => {
          await next()
          return next()
        })
        .mutation({ input: z.void(), output, handler }),
      forgets: base
        .use((async ({ next }: { next: () => Promise<unknown> }) => {
          await next()
        }) as never)
        .mutation({ input: z.void(), output, handler }),
      letsGo: base
        .use(async ({ next }: { next: () => Promise<unknown> }) => {
          void next()
          throw new ProcedureError('CONFLICT', 'mine')
        })
        .mutation({
          input: z.enum(['now', 'later']),
          output,
          handler: async ({ input }) => {
            if (input === 'later') await sleep(10)
            throw new Error('nobody hears this')
          },
        }),
      plain: base.use((() => 5) as never).mutation({ input: z.void(), output, handler }),
      throws: base
        .use(() => {
          throw new ProcedureError('FORBIDDEN', 'No')
        })
        .mutation({ input: z.void(), output, handler }),
      invents: base.use(async () => ({ output: 'mine' })).mutation({ input: z.void(), output, handler }),
      catches: base
        .use(async ({ next }) => {
          try {
            return await next()
          } catch (error) {
            throw new ProcedureError('CONFLICT', `caught ${(error as Error).message}`)
          }
        })
        .mutation({
          input: z.void(),
          output,
          handler: () => {
            throw new Error('it')
          },
        }),
      looks: base
        .use(async ({ input, meta, path, next }) =>
          next({ ctx: { seen: `${JSON.stringify(input)} ${path} ${String(meta['own'])}` } }),
        )
        .mutation({
          input: z.object({ n: z.number().default(1) }),
          output,
          meta: { own: 'meta' },
          handler: ({ ctx, input }) => `${ctx.seen} ${input.n}`,
        }),
    },
    {
      createContext: ({ headers }) =>
        headers.get('x-token') ? { token: headers.get('x-token') as string } : {},
    },
  )

  test('runs outermost first around parsing and the handler', async () => {
    steps.length = 0
    expect((await call('/ordered', 'x')).json).toBe('done')
    expect(steps).toEqual(['one in', 'two in', 'parse', 'handler', 'two out', 'one out'])
  })

  test('is left by the way of a throw when the input is refused', async () => {
    steps.length = 0
    expect((await call('/ordered', '')).status).toBe(400)
    expect(steps).toEqual(['one in', 'two in', 'parse'])
  })

  test('refuses a stranger before the schema has a word', async () => {
    expect(await call('/named', { n: 'not a number' })).toMatchObject({ status: 401 })
    expect((await call('/named', { n: 'not a number' }, { 'x-token': 'good' })).status).toBe(400)
  })

  test('widens the context of what comes after it', async () => {
    expect((await call('/named', { n: 1 }, { 'x-token': 'good' })).json).toBe('Ada good')
    expect((await call('/shadows', undefined, { 'x-token': 'good' })).json).toBe('good! 3 Ada')
  })

  test('sees the raw input, the path and the meta', async () => {
    expect((await call('/looks', { extra: true })).json).toBe('{"extra":true} looks meta 1')
  })

  test('may turn one error into another', async () => {
    expect(problemOf(await call('/catches'))).toMatchObject({ status: 409, detail: 'caught it' })
  })

  test.each([
    ['/twice', /twice called next\(\) twice/],
    ['/forgets', /forgets returned no result.*return next\(\)/],
    ['/invents', /invents returned no result/],
  ])('%s is a bug: 500, and the log says which', async (path, message) => {
    expect((await call(path)).status).toBe(500)
    expect(logs.at(-1)?.message).toMatch(message)
  })

  test('may let go of what it began, which ends no process when it fails', async () => {
    for (const when of ['now', 'later']) expect(problemOf(await call('/letsGo', when)).detail).toBe('mine')
    await sleep(30)
    expect((await call('/catches')).status).toBe(409)
  })

  test('may be a plain function', async () => {
    expect((await call('/throws')).status).toBe(403)
    expect((await call('/plain')).status).toBe(500)
    expect(logs.at(-1)?.message).toMatch(/plain returned no result/)
  })

  test('of the app comes before that of a procedure', async () => {
    const order: string[] = []
    const note =
      (name: string) =>
      async ({ next }: { next: () => Promise<never> }) => {
        order.push(name)
        return next()
      }
    const api = await serve(
      { p: procedure.use(note('own') as never).query({ input: z.void(), output: z.string(), handler }) },
      { use: [note('app one') as never, note('app two') as never] },
    )
    await api.get('/p')
    expect(order).toEqual(['app one', 'app two', 'own'])
  })
})

describe('createContext', () => {
  const whoami = createProcedure<{ who: string }>().mutation({
    input: z.object({ n: z.number() }),
    output: z.string(),
    handler: ({ ctx }) => ctx.who,
  })

  test('gets headers, method, url, address and signal, and may be asynchronous', async () => {
    const seen: Record<string, unknown>[] = []
    const { send } = await serve(
      { whoami },
      {
        createContext: async ({ headers, method, url, remoteAddress, signal }) => {
          seen.push({ host: headers.get('x-a'), method, url, remoteAddress, aborted: signal.aborted })
          return { who: headers.get('x-a') ?? 'nobody' }
        },
      },
    )
    expect((await send('POST /whoami?x=1', { json: { n: 1 }, headers: { 'X-A': 'me' } })).json).toBe('me')
    expect(seen).toEqual([
      { host: 'me', method: 'POST', url: '/whoami?x=1', remoteAddress: '127.0.0.1', aborted: false },
    ])
  })

  test.each(['sync', 'async'])(
    'that throws answers for every procedure, before any body is read: %s',
    async (how) => {
      const refuse = (): never => {
        throw new ProcedureError('UNAUTHORIZED', 'Who are you?')
      }
      const { call, send } = await serve(
        { whoami },
        { createContext: how === 'sync' ? refuse : async () => refuse() },
      )
      expect(problemOf(await call('/whoami', { n: 'x' }))).toMatchObject({
        status: 401,
        code: 'UNAUTHORIZED',
      })
      expect(
        (await send('POST /whoami', { body: '{broken', headers: { 'content-type': 'application/json' } }))
          .status,
      ).toBe(401)
      expect((await call('/trpc/whoami', { n: 1 })).status).toBe(401)
      expect((await call('/nope', {})).status).toBe(404)
    },
  )

  test('that breaks is 500 and in the log', async () => {
    const { call, logs } = await serve(
      { whoami },
      {
        createContext: () => {
          throw new Error('no database')
        },
      },
    )
    expect((await call('/whoami', { n: 1 })).status).toBe(500)
    expect(logs.at(-1)?.message).toContain('no database')
  })
})

describe('a caller that hangs up', async () => {
  const waiting = procedure.mutation({
    input: z.enum(['throws', 'sleeps', 'fetches']),
    output: z.void(),
    handler: async ({ input, signal }) => {
      started++
      try {
        if (input === 'sleeps') await sleep(10_000, undefined, { signal })
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        if (input === 'fetches') await fetch('http://127.0.0.1:1', { signal })
        signal.throwIfAborted()
      } finally {
        ended++
      }
    },
  })
  let started = 0
  let ended = 0
  const { url, logs, call } = await serve({ waiting })

  test.each(['throws', 'sleeps', 'fetches'])(
    'aborts the signal, and what follows from that is no error in the log: %s',
    async (how) => {
      const before = ended
      const hangUp = new AbortController()
      const answer = fetch(`${url}/waiting`, {
        method: 'POST',
        body: JSON.stringify(how),
        headers: { 'content-type': 'application/json' },
        signal: hangUp.signal,
      })
      await until('the call', () => started > before)
      hangUp.abort()
      await expect(answer).rejects.toThrow(/abort/)
      await until('the end of the handler', () => ended > before)
      await sleep(20)
      expect(logs).toEqual([])
      expect((await call('/nope', {})).status).toBe(404)
    },
  )

  test('while his context is made is not called for: half a body or a whole one, the handler never runs', async () => {
    let ran = 0
    const slow = await serve(
      { save: procedure.mutation({ input: z.unknown(), output: z.void(), handler: () => void ran++ }) },
      { createContext: () => sleep(60, {}) },
    )
    for (const [length, body] of [
      [50, '{"a":'],
      [2, '{}'],
    ] as const) {
      const connection = await openRaw(slow.port)
      connection.write(
        `POST /save HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`,
      )
      await sleep(20)
      connection.socket.destroy()
    }
    await sleep(120)
    expect([ran, slow.logs]).toEqual([0, []])
    expect((await slow.call('/save', {})).status).toBe(204)
  })
})
