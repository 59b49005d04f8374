/** Lists as Postgres reads them from a text: every driver sends a text as it is. */

/** What JSON writes in another way than Postgres, but for a quote and a backslash. */
const UNLIKE_JSON = /[\p{Cc}\p{Cs}]/u

/** JSON is written by Node itself, many times as quick. */
const quote = (text: string): string =>
  UNLIKE_JSON.test(text) ? `"${text.replaceAll(/["\\]/g, '\\$&')}"` : JSON.stringify(text)

/** What may stand in a list. */
export type Item = string | number | bigint | boolean | null | undefined

const write = (item: Item): string => (typeof item === 'string' ? quote(item) : String(item ?? 'NULL'))

/** A list as a parameter for `$1::text[]` and its like. */
export const toArray = (items: readonly Item[]): string => `{${items.map(write).join(',')}}`

/** A column of rows to unnest: one of nothing but nulls is left empty, for Postgres fills it up with them. */
export const toColumn = <T>(rows: readonly T[], pick: (row: T) => Item): string => {
  const items = rows.map(pick)
  return items.every((item) => item === null || item === undefined) ? '{}' : toArray(items)
}
