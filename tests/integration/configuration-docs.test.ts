/** docs/configuration.md has every setting, as it is. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { settingsTable } from '../../scripts/docs/settings-table.ts'

test('the table of docs/configuration.md is that of the settings: npm run generate:settings writes it', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8')
  expect(page).toContain(settingsTable())
})
