/** What a run of the suite amounts to, in numbers and in lines. */
import type { Evidence } from './evidence.ts'

/** The figures of a run. Times in ms. */
export interface Figures {
  readonly lives: number
  readonly told: number
  readonly tasks: number
  readonly endings: Readonly<Record<string, number>>
  /** Attempts beyond the first. */
  readonly reruns: number
  /** Attempts whose worker or host died. */
  readonly lost: number
  readonly refused: number
  readonly watchedToTheEnd: number
  readonly handledToTheEnd: number
  readonly ready: { readonly median: number; readonly max: number }
  readonly rerun: { readonly median: number; readonly p90: number; readonly max: number; readonly of: number }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN

const p90 = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.9)] ?? NaN

const count = (keys: readonly string[]): Record<string, number> =>
  keys.reduce<Record<string, number>>((counts, key) => ({ ...counts, [key]: (counts[key] ?? 0) + 1 }), {})

export const figuresOf = (evidence: Evidence): Figures => {
  const records = [...evidence.records.values()]
  const attempts = records.flatMap((record) => record.attempts)
  const all = evidence.recoveries
  const ready = evidence.lives.flatMap(({ startedAt, readyAt }) => (readyAt ? [readyAt - startedAt] : []))
  const rerun = all.map((recovery) => recovery.rerun).filter((ms) => ms !== undefined)
  return {
    lives: evidence.lives.length,
    told: evidence.told.tasks.size,
    tasks: records.length,
    endings: count(records.map(({ status, error }) => error?.code ?? status)),
    reruns: attempts.filter(({ n }) => n > 1).length,
    lost: attempts.filter(({ error }) => error?.code === 'WORKER_LOST').length,
    refused: evidence.told.refused,
    watchedToTheEnd: evidence.told.watchedToTheEnd,
    handledToTheEnd: evidence.told.handledToTheEnd,
    ready: { median: median(ready), max: Math.max(...ready) },
    rerun: { median: median(rerun), p90: p90(rerun), max: Math.max(...rerun), of: rerun.length },
  }
}

const rerunLine = ({ median: half, of, p90: most, max }: Figures['rerun']): string =>
  `runs again ${half} ms later, all of it (median of ${of}), ${most} (90 %), ${max} (max)`

export const inLines = (figures: Figures): string => {
  const endings = Object.entries(figures.endings).map(([ending, tasks]) => `${ending} ${tasks}`)
  return [
    `hosts      ${figures.lives}`,
    `tasks      ${figures.tasks}, of which callers were told of ${figures.told}; ${figures.refused} starts refused`,
    `watched    ${figures.watchedToTheEnd} to the end, and ${figures.handledToTheEnd} by handles, through what broke off`,
    `endings    ${endings.join(', ')}`,
    `re-runs    ${figures.reruns}; attempts lost ${figures.lost}`,
    `serves     ${figures.ready.median} ms after its start (median), ${figures.ready.max} (max)`,
    ...(figures.rerun.of > 0 ? [rerunLine(figures.rerun)] : []),
  ].join('\n')
}
