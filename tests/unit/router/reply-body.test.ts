import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { isStreamed, readBody, type BodyStream } from '../../../src/router/reply-body.ts'

const drain = async (body: BodyStream): Promise<string> => {
  const source = readBody(body)
  let text = ''
  for (;;) {
    const { done, value } = await source.next()
    if (done) return text
    text += typeof value === 'string' ? value : Buffer.from(value).toString()
  }
}

const generate = async function* () {
  yield 'a'
  yield 'b'
}

describe('readBody', () => {
  test.each<[string, () => BodyStream]>([
    ['a generator', generate],
    ['a web stream', () => new Blob(['ab']).stream()],
    [
      'a Node stream',
      () => {
        const stream = new PassThrough()
        stream.end('ab')
        return stream
      },
    ],
  ])('reads %s to its end', async (_, make) => expect(await drain(make())).toBe('ab'))

  test('stops a Node stream while it waits for it', async () => {
    const stream = new PassThrough()
    const source = readBody(stream)
    source.next().catch(() => undefined)
    source.stop()
    await new Promise((resolve) => setImmediate(resolve))
    expect(stream.destroyed).toBe(true)
  })

  test('stops a web stream while it waits for it', async () => {
    let cancelled = false
    const stream = new ReadableStream({ cancel: () => void (cancelled = true) })
    const source = readBody(stream)
    void source.next()
    source.stop()
    expect(cancelled).toBe(true)
  })

  test('never begins a generator that is stopped before it is read', async () => {
    let begun = false
    const source = readBody(
      (async function* () {
        begun = true
        yield 'a'
      })(),
    )
    source.stop()
    expect(begun).toBe(false)
    expect(await source.next()).toMatchObject({ done: true })
  })
})

test('isStreamed tells what comes in pieces from what is there', () => {
  expect([null, '', new Uint8Array(), Buffer.from('')].map((body) => isStreamed(body))).toEqual([
    false,
    false,
    false,
    false,
  ])
  expect(
    [generate(), new PassThrough(), new Blob().stream() as unknown as BodyStream].map((body) =>
      isStreamed(body),
    ),
  ).toEqual([true, true, true])
})
