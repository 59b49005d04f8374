import { exec, read } from './exec.ts'

/**
 * TypeScript 7, which the whole repository is written for. A second TypeScript is installed beside it for tools that
 * need the old compiler API, and npm gives `tsc` to whichever name sorts first: hence the look at the version.
 */
export const tsc = (...args: readonly string[]): void => {
  const version = read('tsc', '--version')
  if (!version.startsWith('Version 7.'))
    throw new Error(
      `tsc is ${version}, expected 7. Keep the old compiler under a name that sorts after "typescript", such as typescript-js.`,
    )
  // Parallel checkers would each do the common part of the work again, which costs more than it saves on few cores.
  exec('tsc', '--checkers', '1', ...args)
}
