/** Whether an answer is one that the document promises: its status, its media type, its body. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { eventsIn } from '../sse.ts'
import type { Document, MediaType, Operation } from './operations.ts'

/** An answer, read as far as it is of interest. */
export interface DocumentAnswer {
  readonly status: number
  readonly type: string | undefined
  readonly text: string
}

/** Checks answers against one document. */
export class Conformance {
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: false })
  readonly #known = new Map<MediaType, ValidateFunction>()

  constructor(document: Document) {
    this.#ajv.addSchema({ $id: 'https://document.example/', ...document }, 'document')
  }

  /** What is wrong with an answer; undefined when nothing. */
  problem(operation: Operation, answer: DocumentAnswer): string | undefined {
    const { status, type, text } = answer
    const response =
      operation.responses[status] ?? (status >= 400 ? operation.responses['default'] : undefined)
    if (!response) return `status ${status} is not documented`
    if (status >= 500) return `status ${status}`
    if (!response.content) return text === '' ? undefined : `a body where none is documented: ${text}`
    const [, media] = Object.entries(response.content).find(([name]) => name === type || name === '*/*') ?? []
    if (!media) return `media type ${type} is not documented`
    if (type === 'text/event-stream') return this.#eventsProblem(media, text)
    return type?.endsWith('json') ? this.#valueProblem(media, JSON.parse(text)) : undefined
  }

  // What ends a stream has a form of its own.
  #eventsProblem(media: MediaType, text: string): string | undefined {
    for (const { event, data } of eventsIn(text)) {
      if (event === 'done' && data === null) continue
      const problem = this.#valueProblem(media, data)
      if (problem) return `${problem} in the event ${event}`
    }
    return undefined
  }

  #valueProblem(media: MediaType, value: unknown): string | undefined {
    const validate = this.#validator(media)
    if (validate(value)) return undefined
    const [error] = validate.errors ?? []
    return `${error?.instancePath || 'the value'} ${error?.message}: ${JSON.stringify(value).slice(0, 500)}`
  }

  #validator(media: MediaType): ValidateFunction {
    const known = this.#known.get(media)
    if (known) return known
    const inDocument = JSON.parse(
      JSON.stringify(media.schema ?? {}, (key, value: unknown) =>
        key === '$ref' && typeof value === 'string' && value.startsWith('#')
          ? `https://document.example/${value}`
          : value,
      ),
    ) as object
    const made = this.#ajv.compile(inDocument)
    this.#known.set(media, made)
    return made
  }
}
