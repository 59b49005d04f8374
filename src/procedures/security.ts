/** What a middleware checks of its callers, as the document says it: one declaration for both. */
import type { Meta } from './meta.ts'
import type { Definition } from './procedure.ts'

/** OpenAPI security schemes by name. */
export type SecuritySchemes = Readonly<Record<string, object>>

const SCHEMES = '~schemes'

/** Says of a middleware that it lets nobody through without one of these. */
export const checksSchemes = <T extends object>(middleware: T, schemes: SecuritySchemes): T =>
  Object.assign(middleware, { [SCHEMES]: schemes })

type Secured = Pick<Definition, 'middlewares' | 'meta'>

const checkedBy = ({ middlewares }: Secured): SecuritySchemes[] =>
  middlewares
    .map((middleware) => (middleware as { [SCHEMES]?: SecuritySchemes })[SCHEMES])
    .filter((schemes) => schemes !== undefined)

/** All that procedures check. */
export const schemesOf = (all: readonly Secured[]): SecuritySchemes =>
  Object.assign({}, ...all.flatMap(checkedBy)) as SecuritySchemes

/** What a 401 tells callers to come with (RFC 9110 §11.6.1): only schemes of HTTP's own have a name for it. */
export const challengeOf = (schemes: SecuritySchemes): string | undefined => {
  const names = Object.values(schemes).flatMap((document) => {
    const { type, scheme } = document as { type?: unknown; scheme?: unknown }
    return type === 'http' && typeof scheme === 'string'
      ? scheme.replace(/^./, (first) => first.toUpperCase())
      : []
  })
  return names.length === 0 ? undefined : [...new Set(names)].join(', ')
}

type Requirement = Readonly<Record<string, readonly string[]>>

const anyOf = (schemes: SecuritySchemes): Requirement[] =>
  Object.keys(schemes).map((name) => ({ [name]: [] }))

// One after the other lets nobody through who lacks either.
const both = (left: readonly Requirement[], right: readonly Requirement[]): Requirement[] =>
  left.flatMap((one) => right.map((other) => ({ ...one, ...other })))

/** What a procedure needs of its callers: what it says itself, else what its middleware checks. */
export const securityOf = (secured: Secured): Meta['security'] => {
  const checked = checkedBy(secured).map(anyOf)
  return secured.meta.security ?? (checked.length > 0 ? checked.reduce(both) : undefined)
}
