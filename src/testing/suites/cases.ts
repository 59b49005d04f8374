/** Cases of a suite as data: what each does, and what it needs of what is under test. */
import { it } from './runner.ts'

/** What a case can't do without: a test of it, and the words for a report when it is not met. */
export interface Need<T> {
  readonly isMet: (subject: T) => boolean
  readonly otherwise: string
}

/** One case: what it does, and what for. */
export type Case<TBench, TSubject> =
  | ((bench: TBench) => Promise<void>)
  | { readonly needs: readonly Need<TSubject>[]; readonly run: (bench: TBench) => Promise<void> }

/** Cases by their titles. */
export type Cases<TBench, TSubject = never> = Readonly<Record<string, Case<TBench, TSubject>>>

/** Titles of cases that can't hold, each with the reason for the report. */
export type Skips<TTitle extends string = string> = Readonly<Partial<Record<TTitle, string>>>

/** What a suite runs its cases with. */
export interface Ground<TBench, TSubject> {
  readonly bench: () => TBench
  /** What needs are asked of. */
  readonly subject: () => Promise<TSubject>
  readonly skip: Skips
}

const needsOf = <TBench, TSubject>(each: Case<TBench, TSubject>): readonly Need<TSubject>[] =>
  typeof each === 'function' ? [] : each.needs

/** Why a case is left out, or undefined when it runs. */
const reasonNot = async <TBench, TSubject>(
  title: string,
  each: Case<TBench, TSubject>,
  { skip, subject }: Ground<TBench, TSubject>,
): Promise<string | undefined> => {
  const needs = needsOf(each)
  if (skip[title] !== undefined || needs.length === 0) return skip[title]
  const found = await subject()
  return needs.find(({ isMet }) => !isMet(found))?.otherwise
}

/** Registers cases with the runner. */
export const register = <TBench, TSubject>(
  cases: Cases<TBench, TSubject>,
  ground: Ground<TBench, TSubject>,
): void => {
  for (const [title, each] of Object.entries(cases))
    it(title, async ({ skip }) => {
      const reason = await reasonNot(title, each, ground)
      if (reason !== undefined) skip(reason)
      await (typeof each === 'function' ? each : each.run)(ground.bench())
    })
}
