/** The Node options that workers start with. */

/** Whether Errand runs from its TypeScript source: in its own tests and development. */
export const isSource = import.meta.url.endsWith('.ts')

// In a worker, the user's `import 'errand'` then finds the source too, and not a build of another day.
const SOURCE_CONDITION = isSource ? ['--conditions=errand-source'] : []

/** Options about how modules are found and loaded: those of the host that a thread can have and should. */
const LOADING =
  /^(--conditions|-C|--import|--require|-r|--(experimental-)?loader|--enable-source-maps|--preserve-\w+)(=|$)/

/** Options that would make a child listen on the host's debug port, or run the host's `--eval` text. */
const NOT_FOR_CHILDREN =
  /^(--inspect\S*|--eval|-e|--print|-p|-pe|--test\S*|--watch\S*|--input-type|--interactive|-i)(=|$)/

const isOption = (text: string): boolean => text.startsWith('-')

/** Options with the value that follows as an argument of its own. */
const grouped = (argv: readonly string[]): string[][] => {
  const groups: string[][] = []
  for (const text of argv) {
    if (isOption(text) || groups.length === 0) groups.push([text])
    else groups.at(-1)?.push(text)
  }
  return groups
}

const pick = (argv: readonly string[], isWanted: (option: string) => boolean): string[] =>
  grouped(argv)
    .filter(([option = '']) => isWanted(option))
    .flat()

/** For threads: undefined inherits the host's; a list replaces them, with none for a whole process in it. */
export const threadArgv = (own: readonly string[] = []): string[] | undefined => {
  const added = [...SOURCE_CONDITION, ...own]
  return added.length > 0
    ? [...pick(process.execArgv, (option) => LOADING.test(option)), ...added]
    : undefined
}

/** For processes. */
export const processArgv = (own: readonly string[] = []): string[] => [
  ...pick(process.execArgv, (option) => !NOT_FOR_CHILDREN.test(option)),
  ...SOURCE_CONDITION,
  ...own,
]
