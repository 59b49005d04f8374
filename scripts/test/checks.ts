/** The checks of `npm test`: scripts of package.json, each told in one line and in full when it fails. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { ROOT } from '../lib/root.ts'

interface Check {
  readonly script: string
  /** One above without which this one says nothing. */
  readonly after?: string
}

/** How many run at once: most keep one core busy, and wait in between. */
const LANES = 2

const CHECKS: readonly Check[] = [
  { script: 'lint' },
  { script: 'format:check' },
  { script: 'typecheck' },
  { script: 'check:imports' },
  { script: 'build' },
  { script: 'check:package', after: 'build' },
  { script: 'check:client' },
  { script: 'knip' },
  { script: 'generate:check' },
]

const commands = (
  JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
).scripts

/** Runs all; returns the names of those that failed. */
export const runChecks = async (): Promise<string[]> => {
  const left = [...CHECKS]
  const passing = new Map<string, Promise<boolean>>()
  const failed: string[] = []
  const lane = async (): Promise<void> => {
    for (let check = left.shift(); check; check = left.shift()) {
      const { script, after } = check
      const needed = after === undefined ? true : await passing.get(after)
      if (!needed) console.log(`- ${script}: not run, it needs ${after}`)
      passing.set(script, needed ? runCheck(script) : Promise.resolve(false))
      if (needed && !(await passing.get(script))) failed.push(script)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return failed
}

const runCheck = async (script: string): Promise<boolean> => {
  const started = performance.now()
  const { passed, output } = await run(
    commands[script] ?? `echo 'package.json has no script ${script}'; exit 1`,
  )
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${passed ? '✓' : '✗'} ${script} (${seconds} s)`)
  if (!passed) console.log(indent(output))
  return passed
}

const run = async (command: string): Promise<{ passed: boolean; output: string }> => {
  const child = spawn(`${command} 2>&1`, { cwd: ROOT, shell: true, stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve))
  const output = await text(child.stdout)
  return { passed: (await closed) === 0, output }
}

const indent = (output: string): string => output.trimEnd().replaceAll(/^/gm, '    ')
