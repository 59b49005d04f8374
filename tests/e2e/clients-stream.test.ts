/** How a generated client reads server-sent events, against answers that break in every way. */
import { describe, expect, test } from 'vitest'
import { ticks, watchCountPrimesTask } from '../../clients/quickstart/index.ts'

/** Pieces of one answer's body; an error cuts the connection. */
type Answer = readonly (string | Error)[] | Response

const bodyOf = (pieces: readonly (string | Error)[]): ReadableStream<Uint8Array> => {
  const left = [...pieces]
  return new ReadableStream({
    pull: (controller) => {
      const piece = left.shift()
      if (piece === undefined) controller.close()
      else if (piece instanceof Error) controller.error(piece)
      else controller.enqueue(new TextEncoder().encode(piece))
    },
  })
}

/** A server that gives these answers, one after the other. */
const answering = (...answers: Answer[]) => {
  const requests: Request[] = []
  const fetch = (request: RequestInfo | URL): Promise<Response> => {
    requests.push(request as Request)
    const answer = answers[requests.length - 1]
    if (!answer) return Promise.reject(new TypeError('fetch failed'))
    return Promise.resolve(answer instanceof Response ? answer : new Response(bodyOf(answer)))
  }
  return { requests, options: { baseUrl: 'http://test', fetch, sseDefaultRetryDelay: 1 } }
}

const tick = (at: number): string => `data: {"tick":${at}}\n\n`
const progress = (percent: number): string =>
  `event: progress\nid: ${percent}\ndata: {"percent":${percent}}\n\n`
const cut = new TypeError('terminated')
const path = { taskId: 'a' }

/** All items and, last, what was thrown. */
const drain = async (stream: AsyncIterable<unknown>): Promise<unknown[]> => {
  const seen: unknown[] = []
  try {
    for await (const item of stream) seen.push(item)
  } catch (error) {
    seen.push(error)
  }
  return seen
}

describe('a stream', () => {
  test('is put together again from whatever pieces it comes in', async () => {
    const text = `retry: 5\n\n: still here\n\n${tick(1)}data: {\ndata: "tick":2}\r\n\r\nevent: done\ndata: null\n\n`
    const { options } = answering(text.split(''))
    expect(await drain((await ticks({ ...options, body: {} })).stream)).toEqual([{ tick: 1 }, { tick: 2 }])
  })

  test('may hold letters of several bytes, cut apart', async () => {
    const bytes = new TextEncoder().encode('data: "Grüße 🙂"\n\n')
    const response = new Response(
      new ReadableStream({
        start: (controller) => {
          for (const byte of bytes) controller.enqueue(Uint8Array.of(byte))
          controller.close()
        },
      }),
    )
    expect(await drain((await ticks({ ...answering(response).options, body: {} })).stream)).toEqual([
      'Grüße 🙂',
    ])
  })

  test('throws the problem of an error event, after the items before it', async () => {
    const problem = {
      type: 'about:blank',
      status: 500,
      code: 'INTERNAL_SERVER_ERROR',
      detail: 'Something broke',
    }
    const { options, requests } = answering([tick(1), `event: error\ndata: ${JSON.stringify(problem)}\n\n`])
    const [first, error] = await drain((await ticks({ ...options, body: {} })).stream)
    expect(first).toEqual({ tick: 1 })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ message: 'Something broke', status: 500, code: 'INTERNAL_SERVER_ERROR' })
    expect(requests).toHaveLength(1)
  })

  test('without ids is not begun again when it is cut: its items would come twice', async () => {
    const { options, requests } = answering([tick(1), cut], [tick(1), tick(2)])
    expect(await drain((await ticks({ ...options, body: {} })).stream)).toEqual([{ tick: 1 }, cut])
    expect(requests).toHaveLength(1)
  })

  test('with ids is resumed where it was, when it is cut, ends early or is refused for now', async () => {
    const { options, requests } = answering(
      [progress(1), progress(2), cut],
      new Response('busy', { status: 503 }),
      [progress(3)],
      [progress(4), 'event: done\nid: 5\ndata: {"status":"succeeded"}\n\n', progress(6)],
    )
    const seen = await drain((await watchCountPrimesTask({ ...options, path })).stream)
    expect(seen).toEqual([
      { percent: 1 },
      { percent: 2 },
      { percent: 3 },
      { percent: 4 },
      { status: 'succeeded' },
    ])
    expect(requests.map((request) => request.headers.get('last-event-id'))).toEqual([null, '2', '2', '3'])
  })

  test('is not asked for again when it is refused for good', async () => {
    const gone = Response.json({ status: 404, code: 'NOT_FOUND', detail: 'No task' }, { status: 404 })
    const { options, requests } = answering([progress(1), cut], gone)
    const [, error] = await drain((await watchCountPrimesTask({ ...options, path })).stream)
    expect(error).toMatchObject({ status: 404, code: 'NOT_FOUND', message: 'No task' })
    expect(requests).toHaveLength(2)
  })

  test('gives up after as many attempts as it is told, and tells each failure', async () => {
    const { options, requests } = answering([progress(1), cut])
    const failures: unknown[] = []
    const more = { sseMaxRetryAttempts: 3, onSseError: (error: unknown) => failures.push(error) }
    const seen = await drain((await watchCountPrimesTask({ ...options, ...more, path })).stream)
    expect(seen.at(-1)).toMatchObject({ message: 'fetch failed' })
    expect([requests.length, failures.length]).toEqual([3, 3])
  })

  test('is hung up on when its reader stops', async () => {
    let cancelled = false
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode(tick(1))),
      cancel: () => void (cancelled = true),
    })
    const { stream } = await ticks({ ...answering(new Response(endless)).options, body: {} })
    for await (const _ of stream) break
    expect(cancelled).toBe(true)
  })
})
