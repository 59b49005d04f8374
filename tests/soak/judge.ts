/** What a soak must show. */
import type { Rest, SoakReport } from './suite.ts'

/** Bytes that may be more in the end: `noise`, however long it took, and `each` for every request in between. */
interface Allowance {
  readonly noise: number
  readonly each: number
}

/** An object of a kilobyte that each request leaves is twice as much as that within ten thousand requests. */
const HEAP: Allowance = { noise: 4e6, each: 50 }
/** What the system counts grows by what allocators, compilers and other threads keep for themselves, too. */
const RSS: Allowance = { noise: 64e6, each: 50 }

const growthProblems = (
  what: string,
  perRequest: number,
  { requests, allowance }: { requests: number; allowance: Allowance },
): string[] => {
  const [grown, allowed] = [perRequest * requests, allowance.noise + allowance.each * requests]
  if (grown <= allowed) return []
  const inMb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
  return [
    `${what} grew by ${inMb(grown)} in ${requests} requests, ${Math.round(perRequest)} bytes each: expected no more ` +
      `than ${inMb(allowed)}`,
  ]
}

/** Of the first rest against the last. */
const openProblems = (first: Rest, last: Rest): string[] => {
  const kinds = new Set([...Object.keys(first.open), ...Object.keys(last.open)])
  const grown = [...kinds].filter((kind) => (last.open[kind] ?? 0) > (first.open[kind] ?? 0) + 1)
  return [
    ...grown.map(
      (kind) => `${kind}: ${first.open[kind] ?? 0} were open at first, ${last.open[kind]} in the end`,
    ),
    ...(last.files > first.files + 2
      ? [`${first.files} files were open at first, ${last.files} in the end`]
      : []),
  ]
}

/** What is wrong, in sentences; empty when nothing is. */
export const judge = (report: SoakReport): string[] => {
  const { faults, rests, heapPerRequest, workerHeapPerRequest, rssPerRequest } = report
  const [first, last] = [rests[0]!, rests.at(-1)!]
  const requests = last.requests - first.requests
  return [
    ...faults,
    ...openProblems(first, last),
    ...growthProblems('the heap', heapPerRequest, { requests, allowance: HEAP }),
    ...growthProblems('the heap of a worker', workerHeapPerRequest, { requests, allowance: HEAP }),
    ...growthProblems('rss', rssPerRequest, { requests, allowance: RSS }),
  ]
}
