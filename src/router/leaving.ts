/** A generator that nobody has begun to read ends without a word to what it would have read. This one tells it. */

/** What a generator reads from a source, ended together with it. */
export const endingBoth = <T>(reader: AsyncIterator<T>, source: AsyncIterable<unknown>): AsyncIterable<T> => {
  let begun = false
  const next = (): Promise<IteratorResult<T>> => {
    begun = true
    return reader.next()
  }
  const end = async (): Promise<IteratorResult<T>> => {
    if (!begun) await source[Symbol.asyncIterator]().return?.()
    await reader.return?.()
    return { done: true, value: undefined }
  }
  return { [Symbol.asyncIterator]: () => ({ next, return: end }) }
}
