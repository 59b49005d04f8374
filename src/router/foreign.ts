/** Procedures made by plain tRPC: the same calls for REST and OpenAPI, run by tRPC's own code. */
import type { AnyTRPCProcedure } from '@trpc/server'
import { z } from 'zod'
import type { Issue } from '../protocol/errors.ts'
import { invalidInput, type Call } from '../procedures/call.ts'
import { failure, success, toFailure, type Failure } from '../procedures/failure.ts'
import { notJson } from '../procedures/json.ts'
import type { Meta } from '../procedures/meta.ts'
import type { Definition } from '../procedures/procedure.ts'
import { toIssues } from '../procedures/schema.ts'

interface ForeignDef {
  readonly type: 'query' | 'mutation' | 'subscription'
  readonly inputs: readonly unknown[]
  readonly output?: unknown
  readonly meta?: Meta
}

const isSchema = (value: unknown): value is z.core.$ZodType =>
  typeof value === 'object' && value !== null && '_zod' in value

// tRPC merges chained object inputs; a parser that isn't zod can't be documented and is taken as anything.
const inputOf = (inputs: readonly unknown[]): z.core.$ZodType => {
  if (inputs.length === 0) return z.void()
  if (!inputs.every(isSchema)) return z.unknown()
  const [first, ...rest] = inputs
  return rest.reduce<z.core.$ZodType>((left, right) => z.intersection(left, right), first as z.core.$ZodType)
}

/** The definition that stands for a tRPC procedure in routes and in the document. */
export const foreignDefinition = (procedure: AnyTRPCProcedure): Definition => {
  const def = procedure._def as unknown as ForeignDef
  return {
    kind: def.type,
    input: inputOf(def.inputs),
    output: isSchema(def.output) ? def.output : z.unknown(),
    errors: {},
    meta: def.meta ?? {},
    middlewares: [],
    handler: () => undefined,
    unknownOptions: [],
  }
}

interface WithIssues {
  readonly issues: readonly Issue[]
}

const issuesOf = (thrown: unknown): readonly Issue[] | undefined => {
  const { code, cause } = thrown as { code?: string; cause?: Partial<WithIssues> }
  return code === 'BAD_REQUEST' && Array.isArray(cause?.issues) ? cause.issues : undefined
}

/** What a tRPC procedure threw, as a failure like any other. */
export const foreignFailure = (thrown: unknown): Failure => {
  const issues = issuesOf(thrown)
  if (issues) return invalidInput(toIssues(issues, (issue) => issue))
  const { code, cause } = thrown as { code?: string; cause?: unknown }
  return toFailure(code === 'INTERNAL_SERVER_ERROR' && cause instanceof Error ? cause : thrown)
}

/** A call of a tRPC procedure. */
export const compileForeign = (path: string, procedure: AnyTRPCProcedure): Call => {
  const { type } = procedure._def
  return async (input, { ctx, signal }) => {
    try {
      const getRawInput = async () => input
      const value: unknown = await procedure({ ctx, getRawInput, path, type, signal, batchIndex: 0 })
      return success(type === 'subscription' ? value : asJson(path, value))
    } catch (thrown) {
      return failure(foreignFailure(thrown))
    }
  }
}

const asJson = (path: string, value: unknown): unknown => {
  if (value === undefined || notJson(value) === undefined) return value
  const text = JSON.stringify(value)
  if (text === undefined) throw new TypeError(`${path} returned a ${typeof value}, which JSON can't hold`)
  return JSON.parse(text)
}
