/** The tables of docs/scale.md are those that the simulation makes of the measured figures. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')

it('are in the page as they are made, and made alike each time', () => {
  const make = (): string =>
    execFileSync(process.execPath, [path.join(root, 'bench/scale-out/simulate.ts')], { encoding: 'utf8' })
  const tables = make().trim().split('\n\n')
  const page = readFileSync(path.join(root, 'docs/scale.md'), 'utf8')
  expect(tables).toHaveLength(3)
  for (const table of tables) expect(page).toContain(table)
  expect(make().trim().split('\n\n')).toEqual(tables)
})
