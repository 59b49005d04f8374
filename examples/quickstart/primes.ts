/** A task: slow, on a worker thread, with progress, and it stops when it is asked to. */
import { procedure } from 'errand'
import { z } from 'zod'

const isPrime = (n: number): boolean => {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false
  return n >= 2
}

// A busy loop hears nothing: giving the event loop a turn now and then lets the signal through.
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export const countPrimes = procedure.task({
  input: z.object({ below: z.int().min(2).max(1e9) }),
  output: z.object({ count: z.int(), largest: z.int() }),
  progress: z.object({ percent: z.number().min(0).max(100) }),
  meta: {
    summary: 'Count the primes below a number',
    examples: [{ input: { below: 100 }, output: { count: 25, largest: 97 } }],
  },
  timeout: '10m',
  handler: async ({ input: { below }, signal, progress, log }) => {
    log.info('counting', { below })
    const step = Math.max(1000, Math.ceil(below / 100))
    let [count, largest] = [0, 0]
    for (let from = 0; from < below; from += step) {
      signal.throwIfAborted()
      for (let n = from; n < Math.min(from + step, below); n++) {
        if (!isPrime(n)) continue
        count++
        largest = n
      }
      progress({ percent: Math.min(100, Math.round(((from + step) / below) * 100)) })
      await breathe()
    }
    return { count, largest }
  },
})
