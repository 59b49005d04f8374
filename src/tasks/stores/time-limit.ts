/** Nothing waits for a store for ever, and no store keeps the event loop from others. */
import { EngineUnavailable } from '../engine.ts'

/**
 * The outcome of `work`, or `EngineUnavailable` when it takes longer than `ms`. The work itself goes on.
 *
 * When the timer fires, one more turn is given: a store that writes in this very process answers in
 * `setImmediate`, and a busy event loop is no reason to call a write lost that is about to be made.
 */
export const withTimeLimit = <T>(work: Promise<T>, ms: number, doing: string): Promise<T> =>
  new Promise((resolve, reject) => {
    const late = () =>
      reject(
        new EngineUnavailable(
          `The task store did not answer within ${ms} ms while ${doing}. Is it reachable?`,
        ),
      )
    const timer = setTimeout(() => setImmediate(late), ms)
    work.then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      (error: unknown) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })

let turn: Promise<void> | undefined

/** Resolves in the next turn of the event loop: one promise for all who ask in this one. */
export const nextTurn = (): Promise<void> =>
  (turn ??= new Promise((resolve) => {
    setImmediate(() => {
      turn = undefined
      resolve()
    })
  }))
