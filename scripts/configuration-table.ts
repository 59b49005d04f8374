/** Writes the table of all settings into docs/configuration.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { settingsTable, withTable } from './docs/settings-table.ts'
import { ROOT } from './lib/root.ts'

const PAGE = join(ROOT, 'docs/configuration.md')

writeFileSync(PAGE, withTable(readFileSync(PAGE, 'utf8'), settingsTable()))
