/** Differences of two texts, line by line, for people to read. */
import { anchorsOf } from './line-anchors.ts'

const CONTEXT = 3
/** Pairs of lines that are compared with each other; above, the lines that both sides have once split the texts. */
const PAIRS = 1_000_000

type Lines = readonly string[]
type Change = readonly [sign: ' ' | '-' | '+', line: string]

const signed = (sign: Change[0], lines: Lines): Change[] => lines.map((line) => [sign, line])

/** Lengths of the longest common subsequences of all tails. */
const commonTails = (old: Lines, now: Lines): Uint16Array[] => {
  const table = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1))
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = now.length - 1; j >= 0; j--)
      table[i]![j] =
        old[i] === now[j] ? table[i + 1]![j + 1]! + 1 : Math.max(table[i + 1]![j]!, table[i]![j + 1]!)
  return table
}

const compareAll = (old: Lines, now: Lines): Change[] => {
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

/** Compares what is between the anchors; without any, one side has gone and the other has come. */
const compareParts = (old: Lines, now: Lines): Change[] => {
  const anchors = anchorsOf(old, now)
  if (anchors.length === 0) return [...signed('-', old), ...signed('+', now)]
  let [i, j] = [0, 0]
  const parts = [...anchors, [old.length, now.length] as const].map(([oldAt, nowAt]) => {
    const part = changesOf(old.slice(i, oldAt), now.slice(j, nowAt))
    ;[i, j] = [oldAt + 1, nowAt + 1]
    return [...part, ...signed(' ', old.slice(oldAt, oldAt + 1))]
  })
  return parts.flat()
}

const compare = (old: Lines, now: Lines): Change[] => {
  if (old.length === 0 || now.length === 0) return [...signed('-', old), ...signed('+', now)]
  return old.length * now.length <= PAIRS ? compareAll(old, now) : compareParts(old, now)
}

/** How many lines are the same, seen from the start or from the end. */
const sameLines = (old: Lines, now: Lines, most: number, fromEnd = false): number => {
  const at = (lines: Lines, count: number) => lines[fromEnd ? lines.length - 1 - count : count]
  let count = 0
  while (count < most && at(old, count) === at(now, count)) count++
  return count
}

/** All lines of both sides; what is the same at both ends isn't compared any further. */
function changesOf(old: Lines, now: Lines): Change[] {
  const shorter = Math.min(old.length, now.length)
  const head = sameLines(old, now, shorter)
  const tail = sameLines(old, now, shorter - head, true)
  return [
    ...signed(' ', old.slice(0, head)),
    ...compare(old.slice(head, old.length - tail), now.slice(head, now.length - tail)),
    ...signed(' ', old.slice(old.length - tail)),
  ]
}

/** What changed and a few lines around it; each run of lines begins with where it is in the old text. */
const hunksOf = (changes: readonly Change[]): string[] => {
  const shown: string[] = []
  let [line, until, from] = [1, 0, 0]
  for (const [at, [sign]] of changes.entries()) {
    if (sign === ' ') continue
    const start = Math.max(until, at - CONTEXT)
    for (; from < start; from++) if (changes[from]![0] !== '+') line++
    if (start > until || until === 0) shown.push(`@@ line ${line} @@`)
    until = Math.min(changes.length, at + CONTEXT + 1)
    for (const [mark, text] of changes.slice(start, until)) shown.push(mark + text)
  }
  return shown
}

/** The differences of two texts, in the unified form; empty when there are none. */
export const lineDiff = (before: string, after: string): string[] =>
  before === after ? [] : hunksOf(changesOf(before.split('\n'), after.split('\n')))
