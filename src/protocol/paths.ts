/** Procedure names, dotted paths (`users.create`) and the URL paths and operation ids made from them. */

const NAME = /^[A-Za-z][A-Za-z0-9_]*$/

/** Names that a tRPC router or a generated client can't carry. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([
  'then',
  'call',
  'apply',
  'client',
  'constructor',
  'prototype',
  'createCaller',
])

/** Why a name can't be used, or undefined when it can. */
export const nameProblem = (name: string): string | undefined =>
  RESERVED_NAMES.has(name)
    ? `the name ${JSON.stringify(name)} is reserved`
    : NAME.test(name)
      ? undefined
      : `the name ${JSON.stringify(name)} must match ${NAME}`

/** `users.create` → `/users/create`. */
export const toUrlPath = (path: string): string => `/${path.replaceAll('.', '/')}`

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

/** `users.create` → `usersCreate`. */
export const toOperationId = (path: string): string => {
  const [first = '', ...rest] = path.split('.')
  return first + rest.map(capital).join('')
}

/** `countPrimes` → `startCountPrimes`, `getCountPrimesTask`, … */
export const taskOperationIds = (path: string) => {
  const name = capital(toOperationId(path))
  return {
    run: toOperationId(path),
    start: `start${name}`,
    get: `get${name}Task`,
    watch: `watch${name}Task`,
    cancel: `cancel${name}Task`,
  } as const
}
