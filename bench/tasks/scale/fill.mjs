// node fill.mjs <ended> <queued>: fills the store that ERRAND_DATA names, through the public door.
import app, { echo, fail, wait } from './app.mjs'

const [ended, queued] = process.argv.slice(2).map(Number)
/** One in a thousand fails. */
const RARE = 1000
const text = 'a sentence of a length that is often met, twice over. '.repeat(4)

const inBatches = async (count, start) => {
  for (let from = 0; from < count; from += 200)
    await Promise.all(Array.from({ length: Math.min(200, count - from) }, (_, n) => start(from + n)))
}
const finish = async (n) => {
  const isRare = n % RARE === 0
  const tags = isRare ? { tags: ['rare'] } : {}
  const task = await app.tasks.start(isRare ? fail : echo, { n, text }, tags)
  await task.result().catch(() => {}) // Some are meant to fail.
}

await inBatches(ended, finish)
await inBatches(queued, (n) => app.tasks.start(wait, { n, text }))
await app.close()
