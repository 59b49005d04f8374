import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import { errandExists, errandFile, root } from '../errand.mjs'

export const outFolder = fileURLToPath(new URL('../out/', import.meta.url))

export function markdownTable(header, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  const rule = header.map((_, i) => (i ? '---:' : '---'))
  return [line(header), line(rule), ...rows.map(line)].join('\n')
}

/** Writes out/<name>.json with what is needed to judge the figures later. */
export function writeReport(name, data) {
  mkdirSync(outFolder, { recursive: true })
  const file = `${outFolder}${name}.json`
  writeFileSync(file, `${JSON.stringify({ machine: describeMachine(), ...data }, null, 2)}\n`)
  console.log(`\nwritten: ${file}`)
}

export const loadNow = () => os.loadavg()[0]

function describeMachine() {
  const cpus = os.cpus()
  return {
    at: new Date().toISOString(),
    node: process.version,
    cpu: cpus[0].model,
    cores: cpus.length,
    load: loadNow(),
    errand: errandExists() ? errandFile() : null,
    commit: commit(),
  }
}

function commit() {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim()
  } catch {
    return null
  }
}
