/** The schemas of problems (RFC 9457): any, the undeclared, and one with a code of its own. */
import { ERROR_CODES, TASK_ERROR_CODES } from '../protocol/errors.ts'
import type { Component } from './components.ts'
import type { JsonSchema } from './json-schema.ts'

/** One thing wrong with an input. */
export const issueSchema = (): JsonSchema => ({
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

/** Any problem. */
export const problemSchema = (issue: Component): JsonSchema => ({
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

/**
 * A problem that an operation doesn't declare. Its codes are listed, so that a declared code tells its problem from
 * these: clients then know its data.
 */
export const generalSchema = (problem: Component): JsonSchema => ({
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

/** A problem with a code of its own, and with its data where that has a schema. */
export const specificSchema = (
  problem: Component,
  description: string,
  status: number,
  code: string,
  data?: JsonSchema,
): JsonSchema => ({
  description,
  allOf: [
    problem.ref(),
    {
      type: 'object',
      properties: {
        status: { type: 'integer', const: status },
        code: { type: 'string', const: code },
        ...(data ? { data } : {}),
      },
      required: ['status', 'code', ...(data ? ['data'] : [])],
    },
  ],
})
