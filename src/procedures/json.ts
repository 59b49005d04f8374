/** Whether a value survives JSON unchanged in kind. Needed only where a schema says `unknown`. */

const isPlain = (value: object): boolean => {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

// Of a list by index: a hole in it is an undefined too.
const itemsOf = (value: object): Iterable<readonly [string | number, unknown]> =>
  Array.isArray(value) ? value.entries() : Object.entries(value)

const find = (value: unknown, path: string, parents: Set<object>): string | undefined => {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined
  if (typeof value === 'number')
    return Number.isFinite(value) ? undefined : `${path || 'the value'} is ${value}`
  if (typeof value !== 'object') return `${path || 'the value'} is a ${typeof value}`
  if (parents.has(value)) return `${path || 'the value'} contains itself`
  if (!Array.isArray(value) && !isPlain(value))
    return `${path || 'the value'} is a ${value.constructor?.name}`
  parents.add(value)
  for (const [key, item] of itemsOf(value)) {
    if (item === undefined && !Array.isArray(value)) continue
    const problem = find(item, path ? `${path}.${key}` : String(key), parents)
    if (problem) return problem
  }
  parents.delete(value)
  return undefined
}

/** What in a value JSON can't hold, in words; undefined when nothing. */
export const notJson = (value: unknown): string | undefined => find(value, '', new Set())
