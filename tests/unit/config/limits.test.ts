import { describe, expect, test } from 'vitest'
import { limitProblems, toLimits, type LimitOptions } from '../../../src/config/limits.ts'

describe('limits', () => {
  test('have safe defaults', () => {
    expect(toLimits({})).toEqual({
      url: 8192,
      queryFields: 1000,
      headers: 100,
      headerSize: 16_384,
      headersTimeout: 15_000,
      requestTimeout: 120_000,
      answerTimeout: 60_000,
      keepAliveTimeout: 5000,
      connections: 10_000,
      connectionsPerAddress: 10_000,
      streams: 8000,
      streamsPerCaller: 2000,
      eventLoopDelay: 500,
    })
  })

  test('refuse nobody for the event loop when they are told so', () => {
    expect(toLimits({ eventLoopDelay: '50ms' }).eventLoopDelay).toBe(50)
    expect(toLimits({ eventLoopDelay: false }).eventLoopDelay).toBe(Infinity)
  })

  test.each<[LimitOptions, RegExp]>([
    [{ url: 0 }, /^option limits\.url is 0, expected a whole number from 16/],
    [{ queryFields: 1.5 }, /^option limits\.queryFields is 1\.5/],
    [{ headers: '100' as never }, /^option limits\.headers is "100"/],
    [
      { headersTimeout: '5 minutes' as never },
      /^option limits\.headersTimeout is "5 minutes", expected a duration/,
    ],
    [{ requestTimeout: 0 }, /^option limits\.requestTimeout is 0/],
    [
      { keepAliveTimeout: '60d' },
      /^option limits\.keepAliveTimeout is "60d", expected a duration from 10 ms to 24 days/,
    ],
    [
      { eventLoopDelay: true as never },
      /^option limits\.eventLoopDelay is true, expected false, or a duration/,
    ],
    [{ conections: 5 } as never, /^option limits\.conections is unknown, expected one of url, queryFields/],
    [{ url: 20_000 }, /^option limits\.url is 20000, expected less than limits\.headerSize/],
    [
      { requestTimeout: '1s' },
      /^option limits\.headersTimeout is "15s", expected no more than limits\.requestTimeout/,
    ],
  ])('%o are refused', (options, problem) => {
    expect(limitProblems(options)).toEqual([expect.stringMatching(problem)])
    // What is refused is told by others; nothing breaks over it before.
    expect(toLimits(options)).toEqual(toLimits({}))
  })
})
