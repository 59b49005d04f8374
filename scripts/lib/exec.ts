import { spawnSync } from 'node:child_process'
import { ROOT } from './root.ts'

/** Runs a program in the root with our terminal; ends this process with its exit code when it fails. */
export const exec = (program: string, ...args: readonly string[]): void => {
  const { status, error } = spawnSync(program, args, { cwd: ROOT, stdio: 'inherit' })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}

/** Runs a program in the root and returns what it printed. */
export const read = (program: string, ...args: readonly string[]): string => {
  const { status, error, stdout, stderr } = spawnSync(program, args, { cwd: ROOT, encoding: 'utf8' })
  if (error) throw error
  if (status === 0) return stdout.trim()
  throw new Error(`${[program, ...args].join(' ')} ended with ${status}:\n${stdout}${stderr}`)
}
