/** Errors in the document: RFC 9457 problems, the declared ones typed. */
import type { Definition } from '../procedures/procedure.ts'
import { ERROR_CODES, TASK_ERROR_CODES } from '../protocol/errors.ts'
import type { Component, Components } from './components.ts'
import type { JsonSchema } from './json-schema.ts'
import { capital, codeToName } from './names.ts'
import type { Reference, Response, Responses } from './operation-types.ts'

const INVALID = 'The input is malformed, or not what the schema takes.'
const PROBLEM_JSON = 'application/problem+json'

type Declared = Definition['errors'][string]

interface Known extends Pick<Declared, 'status' | 'data'> {
  readonly component: Component
}

interface Case {
  readonly code: string
  readonly component: Component
  readonly description: string
}

const issueSchema = (): JsonSchema => ({
  type: 'object',
  description: 'One thing wrong with the input.',
  properties: {
    code: { type: 'string' },
    path: {
      type: 'array',
      items: { type: ['string', 'integer'] },
      description: 'Keys and indexes from the root of the input.',
    },
    message: { type: 'string' },
  },
  required: ['path', 'message'],
})

const problemSchema = (issue: Component): JsonSchema => ({
  type: 'object',
  description: 'An error (RFC 9457).',
  properties: {
    type: { type: 'string', format: 'uri-reference' },
    title: { type: 'string', description: 'The status in words.' },
    status: { type: 'integer', description: 'The HTTP status.' },
    code: { type: 'string', description: 'What happened, for programs.' },
    detail: { type: 'string', description: 'What happened, for people.' },
    issues: { type: 'array', items: issue.ref(), description: 'Everything wrong with the input.' },
    data: { description: 'More about an error with a declared code.' },
    instance: { type: 'string', format: 'uri-reference', description: 'The path it happened at.' },
  },
  required: ['type', 'title', 'status', 'code', 'detail', 'instance'],
})

// Closed, so that a declared code tells its problem from these: clients then know its data.
const generalSchema = (problem: Component): JsonSchema => ({
  description: 'An error that the operation does not declare.',
  allOf: [
    problem.ref(),
    {
      type: 'object',
      properties: {
        code: { type: 'string', enum: [...Object.keys(ERROR_CODES), ...Object.keys(TASK_ERROR_CODES)] },
      },
      required: ['code'],
    },
  ],
})

const inWords = (code: string): string => code.charAt(0) + code.slice(1).toLowerCase().replaceAll('_', ' ')

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
  responsesOf({ errors }: Definition, operationId: string, hasInput: boolean): Responses {
    const statuses = new Map<number, Case[]>()
    for (const [code, declared] of Object.entries(errors)) {
      const cases = statuses.get(declared.status) ?? []
      cases.push({
        code,
        component: this.#component(code, declared, operationId),
        description: declared.message ?? inWords(code),
      })
      statuses.set(declared.status, cases)
    }
    if (hasInput) this.#defineInvalidInput()
    const own = [...statuses].map(
      ([status, cases]) => [String(status), this.#response(status, cases, hasInput)] as const,
    )
    return {
      ...(hasInput ? { 400: reference('InvalidInput') } : {}),
      ...Object.fromEntries(own),
      default: reference('Problem'),
    }
  }

  #response(status: number, declared: readonly Case[], hasInput: boolean): Response {
    const cases = status === 400 && hasInput ? [...declared, this.#invalidCase()] : declared
    const description = `${cases.map((each) => each.description).join('; or ')}.`
    return response(description, cases.length === 1 ? (cases[0] as Case).component.ref() : oneOf(cases))
  }

  #defineInvalidInput(): Component {
    return (this.#invalidInput ??= this.#components.define(
      ['InvalidInput', 'ErrandInvalidInput'],
      this.#specific(INVALID, 400, 'BAD_REQUEST', {}, []),
    ))
  }

  #invalidCase(): Case {
    return { code: 'BAD_REQUEST', component: this.#defineInvalidInput(), description: 'invalid input' }
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
    const properties = data
      ? { data: this.#components.schema(data, 'output', `${operationId}${codeToName(code)}`) }
      : {}
    return this.#specific(`${message ?? inWords(code)}.`, status, code, properties, data ? ['data'] : [])
  }

  #specific(
    description: string,
    status: number,
    code: string,
    properties: JsonSchema,
    required: string[],
  ): JsonSchema {
    return {
      description,
      allOf: [
        this.#problem.ref(),
        {
          type: 'object',
          properties: {
            status: { type: 'integer', const: status },
            code: { type: 'string', const: code },
            ...properties,
          },
          required: ['status', 'code', ...required],
        },
      ],
    }
  }
}

const reference = (name: string): Reference => ({ $ref: `#/components/responses/${name}` })

const oneOf = (cases: readonly Case[]): JsonSchema => {
  const options = cases.map(({ component }) => component.ref())
  // Two of one code can't be told apart by it.
  if (new Set(cases.map(({ code }) => code)).size < cases.length) return { anyOf: options }
  const mapping: Record<string, unknown> = {}
  for (const { code, component } of cases) component.point(mapping, code)
  return { oneOf: options, discriminator: { propertyName: 'code', mapping } }
}
