/** What can be wrong with `meta.rest`, in words. */
import type { Definition } from '../procedures/procedure.ts'
import type { RestMeta, RestMethod } from '../procedures/meta.ts'
import { isVoid } from './entries.ts'

const KNOWN = ['method', 'path', 'in', 'status', 'body'] as const satisfies readonly (keyof RestMeta)[]
const METHODS: readonly string[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] satisfies RestMethod[]

/** Statuses whose answers have no body (RFC 9110 §15.3.5, §15.3.6). */
const BODILESS: readonly number[] = [204, 205]

const unknownOptions = (rest: RestMeta): string[] =>
  Object.keys(rest)
    .filter((key) => !(KNOWN as readonly string[]).includes(key))
    .map((key) => `unknown option meta.rest.${key}, expected one of ${KNOWN.join(', ')}`)

const statusProblem = (status: number, definition: Definition): string | undefined => {
  if (!Number.isInteger(status) || status < 200 || status > 299)
    return `meta.rest.status is ${String(status)}, expected the status of a success, 200 to 299`
  return BODILESS.includes(status) && !isVoid(definition.output)
    ? `meta.rest.status is ${status}, which has no body, but the output is not z.void()`
    : undefined
}

const isWhole = (segment: string): boolean => !/[{}]/.test(segment) || /^\{\w+\}$/.test(segment)

const pathProblem = (path: string): string | undefined => {
  const at = `meta.rest.path ${JSON.stringify(path)}`
  if (!path.startsWith('/')) return `${at} must begin with "/"`
  if (!/^[\x21-\x7e]+$/.test(path) || /[?#]/.test(path))
    return `${at} must be a path as it is sent, percent-encoded, without a query`
  const segments = path.slice(1).split('/')
  if (!segments.every(isWhole))
    return `${at} can't be matched: a parameter takes a whole segment, as in "/users/{id}"`
  const names = segments.filter((segment) => segment.startsWith('{'))
  const repeated = names.find((name, index) => names.indexOf(name) < index)
  return repeated && `${at} has the parameter ${JSON.stringify(repeated.slice(1, -1))} twice`
}

/** What is wrong with the `meta.rest` of a procedure. */
export const restMetaProblems = (definition: Definition): string[] => {
  const { rest } = definition.meta
  if (!rest) return []
  const { method, path, status, body } = rest
  return [
    ...unknownOptions(rest),
    method === undefined || METHODS.includes(method)
      ? undefined
      : `meta.rest.method is ${JSON.stringify(method)}, expected one of ${METHODS.join(', ')}`,
    path === undefined ? undefined : pathProblem(path),
    status === undefined ? undefined : statusProblem(status, definition),
    body === undefined || body === 'json' || body === 'form'
      ? undefined
      : `meta.rest.body is ${JSON.stringify(body)}, expected "json" or "form"`,
  ].filter((problem) => problem !== undefined)
}
