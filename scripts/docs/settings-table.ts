/** The table of all settings, as docs/configuration.md has it. */
import { SETTINGS } from '../../src/app-settings.ts'

const BEGIN = '<!-- settings: npm run generate:settings -->'
const END = '<!-- end of settings -->'

const cell = (text: string): string => text.replaceAll('|', '\\|')

/** Markdown. */
export const settingsTable = (): string =>
  [
    '| setting | variable | default | | a value is |',
    '|---|---|---|---|---|',
    ...SETTINGS.settings.map(
      ({ path, variable, standard, about, rule }) =>
        `| \`${path}\` | \`${variable}\` | ${cell(standard)} | ${cell(about)} | ${cell(rule.expected)} |`,
    ),
  ].join('\n')

/** A page with the table in its place. */
export const withTable = (page: string, table: string): string => {
  const [before, rest] = page.split(BEGIN)
  const after = rest?.split(END)[1]
  if (after === undefined) throw new Error(`docs/configuration.md lacks the lines ${BEGIN} and ${END}`)
  return `${before}${BEGIN}\n${table}\n${END}${after}`
}
