/** Keeps secrets out of the log: fields that are called as secrets are, however deep. */

/** What is never shown, by the last word of its name: `password`, `dbPassword`, `x-api-key`, `set-cookie`. */
const SECRET =
  /(?:^|[^a-z])(?:authorization|cookies?|passwords?|passwd|passphrase|secrets?|api[-_]?keys?|access[-_]?keys?|private[-_]?keys?|tokens?|credentials?)$/

const isSecret = (name: string): boolean =>
  SECRET.test(name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase())

/** Deeper than this nobody looks; what is there is left out. */
const DEEPEST = 8

const clean = (value: unknown, depth: number): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if (depth === DEEPEST) return '[too deep]'
  if (Array.isArray(value)) return value.map((item) => clean(item, depth + 1))
  const prototype: unknown = Object.getPrototypeOf(value)
  // Dates, errors and the like say themselves how they are written.
  if (prototype !== Object.prototype && prototype !== null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      isSecret(name) ? '[redacted]' : clean(item, depth + 1),
    ]),
  )
}

/** Fields that come from elsewhere, fit for the log. */
export const withoutSecrets = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  clean(fields, 0) as Record<string, unknown>
