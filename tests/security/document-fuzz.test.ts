/**
 * Requests made of the document that is served, thousands of them, good and bad: every answer is one that it promises, and
 * none is a failure of the server. `TEST_FUZZ_RUNS=100000` for the long run.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app } from '../fixtures/openapi/app.ts'
import { Conformance, type DocumentAnswer } from '../support/document/conformance.ts'
import { operationsOf, type Document, type Operation } from '../support/document/operations.ts'
import { requestsTo, type DocumentRequest } from '../support/document/requests.ts'
import { SEED } from '../support/hostile.ts'

const TOTAL = Number(process.env['TEST_FUZZ_RUNS'] ?? 5000)
/** How many are under way at once. */
const AT_ONCE = 8

const server = await app.listen({ port: 0 })
const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as Document
const operations = operationsOf(document)
const conformance = new Conformance(document)

/** Ids of tasks that were started: half of what is asked of tasks is asked of those. */
const taskIds = ['01a00000-0000-7000-8000-000000000000']
const seen = new Map<string, number>()
let sent = 0

beforeAll(() => expect(operations.length).toBeGreaterThan(20))
afterAll(async () => {
  await server.close()
  const counts = [...seen]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([status, count]) => `${status}×${count}`)
  console.log(
    `${sent} requests of the document to ${operations.length} operations; answers: ${counts.join(' ')}`,
  )
})

const withTask = (path: string, index: number): string =>
  path.replace('{taskId}', taskIds[index % taskIds.length] as string)

const ask = async (request: DocumentRequest, index: number): Promise<DocumentAnswer> => {
  const { method, path, headers, body } = request
  const response = await fetch(server.url + withTask(path, index), {
    method,
    headers,
    redirect: 'manual',
    ...(body === undefined ? {} : { body }),
  })
  const type = response.headers.get('content-type')?.split(';')[0]
  return { status: response.status, type, text: await response.text() }
}

const remember = ({ status, text }: DocumentAnswer): void => {
  sent++
  seen.set(String(status), (seen.get(String(status)) ?? 0) + 1)
  if (status !== 202 || taskIds.length >= 50) return
  const { id } = JSON.parse(text) as { id: string }
  if (!taskIds.includes(id)) taskIds.push(id)
}

const check = async (operation: Operation, request: DocumentRequest, index: number): Promise<void> => {
  const answer = await ask(request, index)
  remember(answer)
  const problem = conformance.problem(operation, answer)
  if (problem) throw new Error(`${operation.operationId}: ${problem}\nfor ${describeRequest(request)}`)
}

const describeRequest = ({ method, path, headers, body }: DocumentRequest): string =>
  `${method} ${path} ${JSON.stringify(headers)} ${body instanceof FormData ? JSON.stringify([...body]) : JSON.stringify(body instanceof Uint8Array ? Buffer.from(body).toString('latin1') : body)}`

const inTurns = async <T>(
  items: readonly T[],
  act: (item: T, index: number) => Promise<void>,
): Promise<void> => {
  const queue = items.entries()
  const work = async (): Promise<void> => {
    for (const [index, item] of queue) await act(item, index)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}

const each = Math.ceil(TOTAL / operations.length)

test.each(operations.map((operation) => [operation.operationId, operation] as const))(
  'whatever %s is sent, it answers as the document says',
  { timeout: 20_000 + each * 50 },
  async (_, operation) => {
    const requests = fc.sample(requestsTo(document, operation), { numRuns: each, seed: SEED })
    await inTurns(requests, (request, index) => check(operation, request, index))
  },
)

test('good requests were among them, and answered so', () => {
  expect(sent).toBeGreaterThanOrEqual(TOTAL)
  for (const status of ['200', '202', '204', '400', '404', '415'])
    expect(seen.get(status), status).toBeGreaterThan(10)
})
