/** A Dockerfile, as far as a test does what a builder does: its stages, and what they copy and run. */

/** One instruction: `RUN`, and what stands behind it. */
export interface Instruction {
  readonly name: string
  readonly rest: string
}

/** All instructions in order, continued lines joined. */
export const instructionsOf = (text: string): Instruction[] =>
  text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => ({ name: line.split(/\s/, 1)[0] as string, rest: line.replace(/^\S+\s+/, '') }))

/** The stages, each from its `FROM` on. */
export const stagesOf = (text: string): Instruction[][] => {
  const stages: Instruction[][] = []
  for (const instruction of instructionsOf(text)) {
    if (instruction.name === 'FROM') stages.push([])
    stages.at(-1)?.push(instruction)
  }
  return stages
}

/** What the last of an instruction says; undefined when there is none. */
export const lastOf = (stage: readonly Instruction[], name: string): string | undefined =>
  stage.findLast((instruction) => instruction.name === name)?.rest

/** A command as a list, which no shell stands before. */
export const commandOf = (rest: string | undefined): string[] =>
  JSON.parse(/\[.*\]$/.exec(rest ?? '')?.[0] ?? '[]') as string[]

/** What `ENV` says, `NAME=value` each. */
export const environmentOf = (stage: readonly Instruction[]): Record<string, string> =>
  Object.fromEntries(
    stage.filter(({ name }) => name === 'ENV').map(({ rest }) => rest.split('=') as [string, string]),
  )
