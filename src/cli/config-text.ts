/** What a configuration comes to, as a table. */
import type { ShownSetting } from '../app-configuration.ts'

const HEAD: ShownSetting = { path: 'SETTING', variable: 'VARIABLE', value: 'VALUE', from: 'FROM' }

const widest = (rows: readonly ShownSetting[], column: keyof ShownSetting): number =>
  Math.max(...rows.map((row) => row[column].length))

/** One line for each setting. */
export const configText = (settings: readonly ShownSetting[]): string => {
  const rows = [HEAD, ...settings]
  const columns = (['path', 'value', 'from'] as const).map((name) => ({ name, width: widest(rows, name) }))
  const line = (row: ShownSetting): string =>
    [...columns.map(({ name, width }) => row[name].padEnd(width)), row.variable].join('  ').trimEnd()
  return `${rows.map(line).join('\n')}\n`
}
