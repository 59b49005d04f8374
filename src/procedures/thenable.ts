/** Whether a value is to be waited for: a promise, or anything else with a `then`, such as a query of a database client. */
export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function'
