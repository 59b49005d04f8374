/** Lines of a log are made and written together, and are what they would have been one by one. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { createPinoLogger } from '../../../src/observability/pino-logger.ts'

afterEach(() => vi.restoreAllMocks())

/** What was written to standard error at once. */
const written = (): string[] => {
  const writes: string[] = []
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    writes.push(String(text))
    return true
  })
  return writes
}

const linesOf = (text: string | undefined) =>
  (text ?? '')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { time: string; msg: string })

test('they come in order, each with the time at which it was logged', async () => {
  const writes = written()
  const logger = createPinoLogger({ level: 'info', format: 'json' })
  logger.info({ n: 1 }, 'first')
  await sleep(2)
  const between = Date.now()
  await sleep(2)
  logger.error({ n: 2 }, 'second')
  logger.debug?.({ n: 3 }, 'not wanted')
  await vi.waitFor(() => expect(writes.join('')).toContain('second'))
  const [first, second, ...others] = linesOf(writes.join(''))
  expect([first?.msg, second?.msg, others]).toEqual(['first', 'second', []])
  expect(Date.parse(first!.time)).toBeLessThan(between)
  expect(Date.parse(second!.time)).toBeGreaterThan(between)
})

test('one that cannot be made says so in its place, and takes no other with it', async () => {
  const writes = written()
  const logger = createPinoLogger({ level: 'info', format: 'json' })
  const broken = {
    get user(): string {
      throw new Error('no user here')
    },
  }
  const worse = {
    get user(): string {
      // Whatever is thrown, nothing of it may end the process.
      throw Object.create(null)
    },
  }
  logger.info({}, 'before')
  logger.info(broken, 'broken')
  logger.info(worse, 'worse')
  logger.info({}, 'after')
  await vi.waitFor(() => expect(writes.join('')).toContain('after'))
  const lines = writes.join('').trim().split('\n')
  expect(lines.filter((line) => !line.startsWith('    at '))).toEqual([
    expect.stringContaining('before'),
    'The logger threw Error: no user here',
    'The logger threw [Object: null prototype] {}',
    expect.stringContaining('after'),
  ])
})

test('many are written before their moment is over', () => {
  const writes = written()
  const logger = createPinoLogger({ level: 'info', format: 'json' })
  for (let n = 0; n < 1000; n++) logger.info({ n }, 'line')
  expect(writes.join('').split('\n').length).toBeGreaterThan(500)
})
