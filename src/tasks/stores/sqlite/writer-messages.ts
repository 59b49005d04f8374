/** What passes between a writer thread and whoever started it. */
import type { Write, WriteResult } from '../group-commit.ts'
import { toError, toFailure, type Failure } from './failures.ts'

/** What the thread is told: to make a commit, or to close. */
export type Order = readonly Write[] | 'close'

/** What it answers, in order. The first answer says whether it could open the store. */
export type Answer =
  | { readonly ok: true; readonly results: readonly (number | Failure)[] }
  | { readonly ok: false; readonly failure: Failure }

export const toAnswer = (results: readonly WriteResult[]): Answer => ({
  ok: true,
  results: results.map((result) => (result instanceof Error ? toFailure(result) : result)),
})

/** @throws Error when nothing was written */
export const fromAnswer = (answer: Answer): readonly WriteResult[] => {
  if (!answer.ok) throw toError(answer.failure)
  return answer.results.map((result) => (typeof result === 'number' ? result : toError(result)))
}
