/** What a check tells: where, what is wrong, why it matters, what to do. */
export interface Finding {
  readonly file: string
  readonly line: number
  readonly what: string
  readonly why: string
  readonly cure: string
}

/** Prints findings, or the line that says all is well, and sets the exit code. */
export const report = (findings: readonly Finding[], allWell: string): void => {
  for (const finding of findings) console.error(toText(finding))
  if (findings.length === 0) return console.log(allWell)
  console.error(`${findings.length} found`)
  process.exitCode = 1
}

const toText = ({ file, line, what, why, cure }: Finding): string =>
  `${file}:${line}  ${what}\n  why: ${why}\n  try: ${cure}\n`
