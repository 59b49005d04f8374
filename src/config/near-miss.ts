/** Which known name somebody probably meant. */

/** How many letters must be changed, added, left out or swapped with the next (Damerau-Levenshtein, restricted). */
const distance = (from: string, to: string): number => {
  const rows: number[][] = [[...Array(to.length + 1).keys()]]
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1] ? 0 : 1
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      row[j] = Math.min(
        (rows[i - 1]?.[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (rows[i - 1]?.[j - 1] as number) + same,
        ...(swapped ? [(rows[i - 2]?.[j - 2] as number) + 1] : []),
      )
    }
    rows.push(row)
  }
  return rows[from.length]?.[to.length] as number
}

/** The known name that is nearest, if one is near. */
const nearest = (name: string, known: Iterable<string>): string | undefined => {
  const limit = Math.max(2, Math.floor(name.length / 4))
  const all = [...known]
  // As `prod` is short for `production`, and `headerSize` is `limits.headerSize` without its group.
  const whole =
    name.length > 2 ? all.find((other) => other.startsWith(name) || other.endsWith(`.${name}`)) : undefined
  if (whole !== undefined) return whole
  const near = all
    .map((other) => ({ other, far: distance(name.toLowerCase(), other.toLowerCase()) }))
    .filter(({ far }) => far <= limit)
  return near.sort((a, b) => a.far - b.far)[0]?.other
}

/** For the end of a sentence about an unknown name, where there are too many to tell them all. */
export const didYouMean = (name: string, known: readonly string[]): string => {
  const near = nearest(name, known)
  const short = known.filter((other) => !other.includes('.') || name.includes('.'))
  return near === undefined ? `expected one of ${short.join(', ')}` : `did you mean ${near}?`
}

/** All that are known, and the one that was meant. */
export const expectedOneOf = (name: string, known: readonly string[]): string => {
  const near = nearest(name, known)
  return `expected one of ${known.join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}`
}
