/** The tests of `npm test`: vitest, and its own report in one line for whoever reads only the last. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../lib/root.ts'
import { summarize, type VitestReport } from './summary.ts'

export const runTests = async (args: readonly string[]): Promise<{ passing: boolean; summary: string }> => {
  const folder = mkdtempSync(join(tmpdir(), 'errand-test-'))
  try {
    const report = join(folder, 'report.json')
    const code = await vitest([
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...args,
    ])
    return { passing: code === 0, summary: summarize(readReport(report)) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const vitest = (args: readonly string[]): Promise<number | null> =>
  new Promise((resolve, reject) => {
    spawn('vitest', args, { cwd: ROOT, stdio: 'inherit' }).on('error', reject).on('close', resolve)
  })

/** None when vitest ended before it wrote one. */
const readReport = (file: string): VitestReport | undefined => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport
  } catch {
    return undefined
  }
}
