/** Reads server-sent events from an open answer. */

/** One event. */
export interface Sse {
  readonly event: string
  readonly id: string | undefined
  readonly data: unknown
}

const parse = (block: string): Sse | undefined => {
  const lines = block
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith(':') && !line.startsWith('retry:'))
  if (lines.length === 0) return undefined
  const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
  return { event: field('event') ?? 'message', id: field('id'), data: JSON.parse(field('data') ?? 'null') }
}

/** The events in a text that is all there. */
export const eventsIn = (text: string): Sse[] =>
  text
    .split('\n\n')
    .map(parse)
    .filter((event) => event !== undefined)

/** The events of an answer as they come. */
export async function* readEvents(response: Response): AsyncGenerator<Sse, void> {
  let rest = ''
  for await (const text of (response.body as ReadableStream<Uint8Array>).pipeThrough(
    new TextDecoderStream() as never,
  )) {
    const blocks = (rest + String(text)).split('\n\n')
    rest = blocks.pop() as string
    for (const event of blocks.map(parse)) if (event) yield event
  }
}
