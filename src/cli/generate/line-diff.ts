/** Differences of two texts, line by line, for people to read. */

const CONTEXT = 3
/** Lines compared after the first difference: enough to see what changed, however large the files. */
const WINDOW = 300

type Change = readonly [sign: ' ' | '-' | '+', line: string]

/** Lengths of the longest common subsequences of all tails. */
const commonTails = (old: readonly string[], now: readonly string[]): Uint16Array[] => {
  const table = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1))
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = now.length - 1; j >= 0; j--)
      table[i]![j] =
        old[i] === now[j] ? table[i + 1]![j + 1]! + 1 : Math.max(table[i + 1]![j]!, table[i]![j + 1]!)
  return table
}

const changesOf = (old: readonly string[], now: readonly string[]): Change[] => {
  const common = commonTails(old, now)
  const changes: Change[] = []
  let [i, j] = [0, 0]
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      changes.push([' ', old[i++]!])
      j++
    } else if (j === now.length || (i < old.length && common[i + 1]![j]! >= common[i]![j + 1]!))
      changes.push(['-', old[i++]!])
    else changes.push(['+', now[j++]!])
  }
  return changes
}

const firstDifference = (old: readonly string[], now: readonly string[]): number => {
  const shorter = Math.min(old.length, now.length)
  let at = 0
  while (at < shorter && old[at] === now[at]) at++
  return at
}

/** Keeps what changed and a few lines around it. */
const nearChanges = (changes: readonly Change[]): Change[] =>
  changes.filter((_, at) =>
    changes.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(([sign]) => sign !== ' '),
  )

const linesOf = (text: string): string[] => text.split('\n')

/** The first differences of two texts, in the unified form; empty when there are none. */
export const lineDiff = (before: string, after: string): string[] => {
  const [old, now] = [linesOf(before), linesOf(after)]
  const first = firstDifference(old, now)
  if (first === old.length && first === now.length) return []
  const from = Math.max(0, first - CONTEXT)
  const changes = nearChanges(changesOf(old.slice(from, from + WINDOW), now.slice(from, from + WINDOW)))
  return [`@@ line ${from + 1} @@`, ...changes.map(([sign, line]) => sign + line)]
}
