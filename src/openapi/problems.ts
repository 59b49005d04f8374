/** Errors in the document: RFC 9457 problems, the declared ones typed. */
import { schemesOf } from '../procedures/security.ts'
import type { Definition } from '../procedures/procedure.ts'
import type { Component, Components } from './components.ts'
import type { JsonSchema } from './json-schema.ts'
import { capital, codeInWords, codeToName } from './names.ts'
import type { Reference, Response, Responses } from './operation-types.ts'
import { generalSchema, issueSchema, problemSchema, specificSchema } from './problem-schemas.ts'

const INVALID = 'The input is malformed, or not what the schema takes.'
const PROBLEM_JSON = 'application/problem+json'

type Declared = Definition['errors'][string]

interface Known extends Pick<Declared, 'status' | 'data'> {
  readonly component: Component
}

interface Case {
  readonly code: string
  readonly status: number
  readonly component: Component
  readonly description: string
}

const response = (description: string, schema: JsonSchema): Response => ({
  description,
  content: { [PROBLEM_JSON]: { schema } },
})

/** The problems of one document: each declared error once, however many procedures share it. */
export class Problems {
  readonly #components: Components
  readonly #declared = new Map<string, Known[]>()
  readonly #problem: Component
  readonly #general: Component
  #invalidInput: Component | undefined

  constructor(components: Components) {
    this.#components = components
    const issue = components.define(['ProblemIssue', 'ErrandProblemIssue'], issueSchema())
    this.#problem = components.define(['Problem', 'ErrandProblem'], problemSchema(issue))
    this.#general = components.define(
      ['GeneralProblem', 'ErrandGeneralProblem'],
      generalSchema(this.#problem),
    )
  }

  /** The responses that operations share, by name. */
  shared(): Record<string, Response> {
    return {
      ...(this.#invalidInput ? { InvalidInput: response(INVALID, this.#invalidInput.ref()) } : {}),
      Problem: response('Any other failure.', this.#general.ref()),
    }
  }

  /** An error response that may carry any code. */
  plain(description: string): Response {
    return response(description, this.#problem.ref())
  }

  /** The error responses of a procedure. */
  responsesOf(definition: Definition, operationId: string, hasInput: boolean): Responses {
    const { errors } = definition
    if (hasInput) this.#defineInvalidInput()
    const cases = Object.entries(errors).map(([code, declared]) => this.#case(code, declared, operationId))
    const byStatus = Map.groupBy(cases, ({ status }) => status)
    const own = [...byStatus].map(
      ([status, ofStatus]) => [String(status), this.#response(definition, ofStatus, hasInput)] as const,
    )
    return {
      ...(hasInput ? { 400: reference('InvalidInput') } : {}),
      ...(isSecured(definition) ? { 401: this.plain('Nobody is signed in, or not well.') } : {}),
      ...Object.fromEntries(own),
      default: reference('Problem'),
    }
  }

  #response(definition: Definition, declared: readonly Case[], hasInput: boolean): Response {
    const { status } = declared[0] as Case
    const cases = status === 400 && hasInput ? [...declared, this.#invalidCase()] : declared
    const texts = cases.map((each) => each.description)
    if (cases === declared && isOurs(status, definition)) {
      const options = [...cases.map(({ component }) => component), this.#general]
      return response(sentence([...texts, 'any other failure']), {
        anyOf: options.map((option) => option.ref()),
      })
    }
    return response(sentence(texts), cases.length === 1 ? (cases[0] as Case).component.ref() : oneOf(cases))
  }

  #defineInvalidInput(): Component {
    return (this.#invalidInput ??= this.#components.define(
      ['InvalidInput', 'ErrandInvalidInput'],
      specificSchema(this.#problem, INVALID, 400, 'BAD_REQUEST'),
    ))
  }

  #invalidCase(): Case {
    const component = this.#defineInvalidInput()
    return { code: 'BAD_REQUEST', status: 400, component, description: 'invalid input' }
  }

  #case(code: string, declared: Declared, operationId: string): Case {
    const component = this.#component(code, declared, operationId)
    return { code, status: declared.status, component, description: declared.message ?? codeInWords(code) }
  }

  #component(code: string, declared: Declared, operationId: string): Component {
    const sameCode = this.#declared.get(code) ?? []
    const known = sameCode.find(({ status, data }) => status === declared.status && data === declared.data)
    if (known) return known.component
    const name = `${codeToName(code)}Problem`
    const component = this.#components.define(
      [name, `${capital(operationId)}${name}`],
      this.#typed(code, declared, operationId),
    )
    this.#declared.set(code, [...sameCode, { ...declared, component }])
    return component
  }

  #typed(code: string, { status, message, data }: Declared, operationId: string): JsonSchema {
    const owner = `${operationId}${codeToName(code)}`
    const schema = data && this.#components.schema(data, 'output', owner)
    return specificSchema(this.#problem, `${message ?? codeInWords(code)}.`, status, code, schema)
  }
}

const sentence = (texts: readonly string[]): string => `${texts.join('; or ')}.`

/** What any call may be refused with, whatever its procedure declares. */
const OF_ALL: ReadonlySet<number> = new Set([400, 401, 403, 408, 413, 414, 415, 429, 431, 500, 503])
/** A key of another start, a cancelled task, and one that took too long. */
const OF_TASKS: ReadonlySet<number> = new Set([409, 422, 504])

/** Whether a declared error shares its status with one that Errand gives. */
const isOurs = (status: number, { kind }: Definition): boolean =>
  OF_ALL.has(status) || (kind === 'task' && OF_TASKS.has(status))

const isSecured = (definition: Definition): boolean => Object.keys(schemesOf([definition])).length > 0

const reference = (name: string): Reference => ({ $ref: `#/components/responses/${name}` })

const oneOf = (cases: readonly Case[]): JsonSchema => {
  const options = cases.map(({ component }) => component.ref())
  // Two of one code can't be told apart by it.
  if (new Set(cases.map(({ code }) => code)).size < cases.length) return { anyOf: options }
  const mapping: Record<string, unknown> = {}
  for (const { code, component } of cases) component.point(mapping, code)
  return { oneOf: options, discriminator: { propertyName: 'code', mapping } }
}
