/**
 * How a generated client reads server-sent events. hey-api's own reader takes the `null` of a `done` event and a
 * problem for items, hides failures, begins a stream again that it can't resume, and never hangs up.
 */
import { CliError } from '../cli-error.ts'

/** The file that hey-api writes its reader into. */
export const EVENT_STREAM_FILE = 'core/serverSentEvents.gen.ts'

const BEGIN = 'export function createSseClient<'

const READER = `interface Lines {
  data?: string;
  event?: string;
  id?: string;
  retry?: string;
}

const readBlock = (block: string): Lines => {
  const lines: Lines = {};
  for (const line of block.split(/\\r?\\n/)) {
    // JSON may hold line separators (U+2028), which end no line here.
    const [, name, value = ''] = /^(data|event|id|retry): ?(.*)$/s.exec(line) ?? [];
    if (name === 'data') lines.data = lines.data === undefined ? value : \`\${lines.data}\\n\${value}\`;
    else if (name) lines[name as keyof Lines] = value;
  }
  return lines;
};

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

/** \`Retry-After\` in seconds; it may be a date. */
const secondsIn = (text: string): number => Math.max(0, Number(text) || (Date.parse(text) - Date.now()) / 1000 || 0);

/** A problem (RFC 9457) as an Error with the problem's members and the seconds to wait before another try. */
const toError = (problem: unknown, response?: Response): Error => {
  const members = (typeof problem === 'object' && problem) as { detail?: string } | false | null;
  const status = response?.status;
  const retryAfter = secondsIn(response?.headers.get('Retry-After') ?? '');
  return Object.assign(
    new Error((members && members.detail) || \`The stream failed: \${status}\`),
    { status, retryAfter },
    members,
  );
};

/** Longer with each failure, and at random: not all who lost one server come back in step. */
const delayOf = (first: number, failures: number, longest: number): number =>
  Math.min(first * 2 ** failures, longest) * (0.5 + Math.random() / 2);

/**
 * Reads a stream of server-sent events. An \`error\` event and a refusal are thrown, \`done\` ends the stream. A lost
 * connection is opened again where the server can resume: after an event with an id.
 */
export function createSseClient<TData = unknown>({
  onRequest,
  onSseError,
  onSseEvent,
  responseTransformer,
  responseValidator,
  sseDefaultRetryDelay,
  sseMaxRetryAttempts = Infinity,
  sseMaxRetryDelay = 30_000,
  sseSleepFn,
  url,
  ...options
}: ServerSentEventsOptions): ServerSentEventsResult<TData> {
  const sleep = sseSleepFn ?? ((ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)));
  let retryDelay = sseDefaultRetryDelay ?? 3000;
  let lastEventId: string | undefined;

  const connect = async (): Promise<Response> => {
    const headers = new Headers(options.headers);
    if (lastEventId !== undefined) headers.set('Last-Event-ID', lastEventId);
    const init: RequestInit = { redirect: 'follow', ...options, body: options.serializedBody ?? null, headers };
    const request = onRequest ? await onRequest(url, init) : new Request(url, init);
    // Called by itself: a browser's fetch refuses to be a method.
    const send = options.fetch ?? globalThis.fetch;
    const response = await send(request);
    if (!response.ok) throw toError(await response.json().catch(() => undefined), response);
    return response;
  };

  async function* blocks(): AsyncGenerator<Lines, void> {
    const reader = (await connect()).body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    try {
      for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
        const parts = (text + read.value).split(/\\r?\\n\\r?\\n/);
        text = parts.pop() ?? '';
        for (const part of parts) yield readBlock(part);
      }
    } finally {
      // Whoever stops reading hangs up.
      await reader?.cancel().catch(() => undefined);
    }
  }

  async function* items(): AsyncGenerator<unknown, void> {
    let ended = false;
    for (let attempt = 1, failures = 0; ; attempt++, failures++) {
      let asked = 0;
      try {
        for await (const { data: text, event, id, retry } of blocks()) {
          if (retry) retryDelay = Number(retry) || retryDelay;
          if (id !== undefined) lastEventId = id;
          if (text === undefined) continue;
          failures = 0;
          let data = parse(text);
          ended = event === 'done' || event === 'error';
          if (event === 'error') throw toError(data);
          if (data !== null && responseValidator) await responseValidator(data);
          if (data !== null && responseTransformer) data = await responseTransformer(data);
          onSseEvent?.({
            data,
            retry: retryDelay,
            ...(event === undefined ? {} : { event }),
            ...(lastEventId === undefined ? {} : { id: lastEventId }),
          });
          if (!ended || data !== null) yield data;
          if (ended) return;
        }
        if (lastEventId === undefined || attempt >= sseMaxRetryAttempts) return;
      } catch (error) {
        if (options.signal?.aborted) return;
        onSseError?.(error);
        const { status = 503, retryAfter = 0 } = error as { status?: number; retryAfter?: number };
        asked = retryAfter * 1000;
        if (ended || (status < 500 && status !== 429) || lastEventId === undefined || attempt >= sseMaxRetryAttempts) throw error;
      }
      await sleep(asked + delayOf(retryDelay, failures, sseMaxRetryDelay));
    }
  }

  return { stream: items() as ServerSentEventsResult<TData>['stream'] };
}
`

/**
 * hey-api's file with our reader behind its types.
 *
 * @throws CliError when the file isn't as this version of Errand knows it
 */
export const withOwnReader = (text: string): string => {
  const at = text.indexOf(BEGIN)
  if (at === -1)
    throw new CliError(
      `@hey-api/openapi-ts wrote ${EVENT_STREAM_FILE} without \`${BEGIN}\`: install the version that errand asks for`,
    )
  return text.slice(0, at) + READER
}
