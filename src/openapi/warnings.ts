/** What in a document is legal and still likely to surprise: for the log, nothing is changed. */
import type { OpenApiDocument } from './document.ts'
import { capital } from './names.ts'

/** What generated clients name after an operation. */
const GENERATED = ['Data', 'Response', 'Responses', 'Error', 'Errors'] as const

interface Operation {
  readonly operationId?: string
  readonly security?: readonly object[]
}

const operationsOf = ({ paths = {} }: OpenApiDocument): Operation[] =>
  Object.values(paths).flatMap((item) => Object.values(item as Record<string, Operation>))

const nameClashes = (document: OpenApiDocument): string[] => {
  const generated = new Map(
    operationsOf(document).flatMap(({ operationId = '' }) =>
      GENERATED.map((suffix) => [capital(operationId) + suffix, operationId] as const),
    ),
  )
  return Object.keys(document.components?.schemas ?? {}).flatMap((name) => {
    const operationId = generated.get(capital(name))
    return operationId === undefined
      ? []
      : [`The schema id ${name} is what generated clients call a type of ${operationId}: one gets a number`]
  })
}

const unknownSchemes = (document: OpenApiDocument): string[] => {
  const known = document.components?.securitySchemes ?? {}
  return operationsOf(document).flatMap(({ operationId, security = [] }) =>
    security
      .flatMap((requirement) => Object.keys(requirement))
      .filter((name) => !Object.hasOwn(known, name))
      .map(
        (name) =>
          `${operationId} has the security scheme ${name}, which openapi.securitySchemes lacks: add it there`,
      ),
  )
}

/** Sentences to log once. */
export const documentWarnings = (document: OpenApiDocument): string[] => [
  ...nameClashes(document),
  ...unknownSchemes(document),
]
