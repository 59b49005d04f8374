import { parseArgs } from 'node:util'

const list = (text) => text?.split(',').filter(Boolean)

/** Command-line options by their defaults: a number stays a number, a list (or `null`, an optional one) is given by commas. */
export function readOptions(defaults) {
  const options = Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [
      name,
      { type: typeof value === 'boolean' ? 'boolean' : 'string' },
    ]),
  )
  const { values } = parseArgs({ options, allowNegative: true })
  return Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, convert(values[name], value)]))
}

function convert(given, fallback) {
  if (given === undefined) return fallback
  if (fallback === null || Array.isArray(fallback)) return list(given)
  if (typeof fallback !== 'number') return given
  if (Number.isNaN(Number(given))) throw new Error(`expected a number, got "${given}"`)
  return Number(given)
}
