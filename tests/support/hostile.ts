/** Requests nobody should send: arbitraries for fast-check, and one that sends them over a bare connection. */
import { connect } from 'node:net'
import fc from 'fast-check'
import { parseRaw } from './raw.ts'

/** How many requests a property makes: `TEST_FUZZ_RUNS`, or few enough for every day. */
export const RUNS = Number(process.env['TEST_FUZZ_RUNS'] ?? 300)

/** The same requests every day, unless another seed is asked for. */
export const SEED = Number(process.env['TEST_FUZZ_SEED'] ?? 20_241_119)

const KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'then',
  'length',
  'a',
  'b',
  'n',
  'input',
  'id',
  '0',
  '',
  'é',
  'x'.repeat(300),
]

const key = fc.oneof(fc.constantFrom('a', 'b', 'n'), fc.constantFrom(...KEYS), fc.string({ maxLength: 20 }))

const NUMBERS = [0, -0, 1, -1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 53), 1e21, 1e308, 5e-324]

const leaf = fc.oneof(
  fc.constantFrom(null, true, false, '', ...NUMBERS),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string({ maxLength: 50, unit: 'binary' }),
  fc.constantFrom(
    '__proto__',
    'x'.repeat(5000),
    '\u0000',
    '\ud800',
    '2024-13-45T99:99:99Z',
    'NaN',
    '1e999',
    '${7*7}',
    "'; DROP TABLE tasks; --",
    '../../etc/passwd',
  ),
)

/** JSON of every shape, with keys that have hurt others. */
export const json: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'json' },
    leaf,
    fc.array(tie('value'), { maxLength: 6 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 6 }).map((entries) => ownEntries(entries)),
  ),
})).value

/** An object with own properties, `__proto__` among them. */
const ownEntries = (entries: readonly (readonly [string, unknown])[]): object => {
  const object = {}
  for (const [name, value] of entries)
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
  return object
}

const deep = fc
  .tuple(fc.integer({ min: 1, max: 3000 }), fc.constantFrom('[', '{"a":', '[{"b":'))
  .map(([depth, open]) => open.repeat(depth))

const closedDeep = fc.integer({ min: 200, max: 3000 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth))

const HUGE = [
  '1e999',
  '-1e999',
  `1${'0'.repeat(400)}`,
  '1.0000000000000000000000000000001',
  '00',
  '-',
  '.5',
  '1.',
  '+1',
  '0x10',
  'NaN',
  'Infinity',
]

const jsonText = json.map((value) => JSON.stringify(value) ?? 'null')

// Valid JSON with a piece cut out or put in.
const broken = fc
  .tuple(jsonText, fc.nat(), fc.nat({ max: 10 }), fc.string({ maxLength: 5 }))
  .map(([text, at, length, put]) => {
    const place = at % (text.length + 1)
    return text.slice(0, place) + put + text.slice(place + length)
  })

/** Bytes of a body. */
export const body: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 4, arbitrary: jsonText.map((text) => Buffer.from(text)) },
  { weight: 3, arbitrary: broken.map((text) => Buffer.from(text)) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: deep.map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: closedDeep.map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: fc.constantFrom(...HUGE).map((text) => Buffer.from(`{"a":${text},"n":${text}}`)) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1000, max: 40_000 })
      .map((size) => Buffer.from(JSON.stringify('x'.repeat(size)))),
  },
  { weight: 1, arbitrary: fc.constant(Buffer.alloc(0)) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(
        '\ufeff{}',
        '\ufffe',
        '{"a":1}{"a":2}',
        'a=1&b=2',
        '<xml/>',
        '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
      )
      .map((text) => Buffer.from(text)),
  },
)

/** Media types, mostly the right one. */
export const mediaType: fc.Arbitrary<string | undefined> = fc.oneof(
  { weight: 6, arbitrary: fc.constant('application/json') },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      undefined,
      '',
      'text/plain',
      'APPLICATION/JSON',
      'application/json; charset=utf-16',
      'application/json;',
      ';',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'multipart/form-data; boundary=x',
      'multipart/form-data; boundary=',
      'application/octet-stream',
      '*/*',
      'application/json, text/plain',
      'x'.repeat(1000),
    ),
  },
)

const SEGMENTS = [
  '..',
  '.',
  '',
  '%2e%2e',
  '%2f',
  '%00',
  '%',
  '%zz',
  '%E0%A4%A',
  '%ff',
  '__proto__',
  'constructor',
  'toString',
  '%F0%9F%92%A9',
  ';',
  ':',
  '*',
  '{id}',
  'a'.repeat(500),
  '~',
  '|',
  "'",
  '"',
  '\\',
  '^',
  '[',
  '%0d%0aX:1',
]

/** A piece of a path, as it goes over the wire. */
export const segment: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...SEGMENTS),
  fc.webSegment({ size: 'small' }),
)

/** A query string, as it goes over the wire. */
export const query: fc.Arbitrary<string> = fc.oneof(
  fc.constant(''),
  fc.webQueryParameters({ size: 'small' }).map((text) => `?${text}`),
  fc
    .array(
      fc.tuple(
        fc.constantFrom(
          'a',
          'b',
          'n',
          'input',
          'batch',
          'wait',
          'limit',
          'cursor',
          'async',
          '__proto__',
          'constructor',
          'a[]',
          'a.b',
          '%00',
          '%zz',
        ),
        fc.oneof(
          fc.constantFrom(
            '1',
            '',
            'true',
            '-1',
            '1e999',
            '%',
            '%zz',
            '%ff',
            'null',
            '{}',
            '%7B%7D',
            '%5B',
            '9'.repeat(400),
          ),
          segment,
        ),
      ),
      { maxLength: 5 },
    )
    .map((pairs) => `?${pairs.map(([name, value]) => `${name}=${value}`).join('&')}`),
)

const HEADERS: readonly (readonly [string, string])[] = [
  ['Accept', '*/*'],
  ['Accept', 'application/jsonl'],
  ['trpc-accept', 'application/jsonl'],
  ['Prefer', 'respond-async'],
  ['Prefer', 'respond-async, wait=99999999999'],
  ['Prefer', 'wait=;;;,,,="'],
  ['If-None-Match', '*'],
  ['If-None-Match', '"'],
  ['If-None-Match', 'W/""'],
  ['Last-Event-ID', 'x'],
  ['Last-Event-ID', '\xff\xfe'],
  ['Idempotency-Key', 'k'],
  ['Idempotency-Key', 'x'.repeat(300)],
  ['Task-Delay', '5ms'],
  ['Task-Delay', '-1'],
  ['Task-Delay', '99999999999d'],
  ['Task-Run-At', 'x'],
  ['Task-Run-At', '+275760-09-13'],
  ['Task-Priority', 'NaN'],
  ['Task-Tags', ',,,,'],
  ['Origin', 'null'],
  ['Origin', 'https://evil.example'],
  ['Access-Control-Request-Method', 'BREW'],
  ['Cookie', '=;=;a=%zz; __proto__=1'],
  ['Content-Encoding', 'gzip'],
  ['Expect', '100-continue'],
  ['X-HTTP-Method-Override', 'DELETE'],
  ['X-Forwarded-For', '127.0.0.1'],
  ['Range', 'bytes=0-'],
  ['Upgrade', 'websocket'],
  ['TE', 'trailers'],
  ['X-\xe9', '\xe9'],
  ['__proto__', 'x'],
  ['Content-Length-2', '5'],
]

/** Header lines beside those a request must have. */
export const headers: fc.Arbitrary<readonly (readonly [string, string])[]> = fc.array(
  fc.oneof(
    fc.constantFrom(...HEADERS),
    fc.tuple(
      fc.constantFrom('X-Any', 'Accept', 'Prefer', 'If-None-Match', 'Cookie', 'Last-Event-ID'),
      fc.string({ maxLength: 60, unit: 'grapheme-ascii' }).map((text) => text.trim()),
    ),
  ),
  { maxLength: 3 },
)

/** A request as it goes over the wire. */
export interface HostileRequest {
  readonly method: string
  readonly path: string
  readonly headers: readonly (readonly [string, string])[]
  readonly type: string | undefined
  readonly body: Buffer
  /** Sent in chunks of this many bytes, instead of with a length. */
  readonly chunk: number | undefined
}

const methodOf = (usual: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...usual) },
    { weight: 1, arbitrary: fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS') },
  )

/** Requests to a path that another arbitrary makes, most of them by a method that it has. */
export const requestTo = (
  path: fc.Arbitrary<string>,
  methods: readonly string[] = ['GET', 'POST', 'POST', 'POST'],
): fc.Arbitrary<HostileRequest> =>
  fc.record({
    method: methodOf(methods),
    path,
    headers,
    type: mediaType,
    body,
    chunk: fc.option(fc.constantFrom(1, 7, 1000), { nil: undefined, freq: 4 }),
  })

const chunked = (bytes: Buffer, size: number): Buffer[] => {
  const pieces: Buffer[] = []
  const step = Math.max(size, Math.ceil(bytes.length / 50))
  for (let at = 0; at < bytes.length; at += step) {
    const piece = bytes.subarray(at, at + step)
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'))
  }
  return [...pieces, Buffer.from('0\r\n\r\n')]
}

/** The bytes of a request. Over a path or header that HTTP/1.1 can't carry it writes what it can. */
export const toBytes = ({
  method,
  path,
  headers: lines,
  type,
  body: bytes,
  chunk,
}: HostileRequest): Buffer => {
  const hasBody = method !== 'GET' && method !== 'HEAD'
  const framing = !hasBody
    ? ''
    : chunk === undefined
      ? `Content-Length: ${bytes.length}\r\n`
      : 'Transfer-Encoding: chunked\r\n'
  const typed = type === undefined || !hasBody ? '' : `Content-Type: ${type}\r\n`
  const extra = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const head = Buffer.from(
    `${method} ${path.replaceAll(/[\s\u0080-\uffff]/g, '')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${framing}${typed}${extra}\r\n`,
    'latin1',
  )
  if (!hasBody) return head
  return Buffer.concat([head, ...(chunk === undefined ? [bytes] : chunked(bytes, chunk))])
}

/** What came back: undefined for a connection that was closed without a word. */
export interface HostileAnswer {
  readonly status: number
  readonly head: string
  readonly body: string
}

/** Sends bytes over a connection of their own. Rejects when no end comes within the time. */
export const sendBytes = (port: number, bytes: Uint8Array, withinMs = 5000): Promise<HostileAnswer> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' })
    let received = ''
    const settle = (): void => {
      clearTimeout(timer)
      socket.destroy()
      // What a 100-continue promised comes after it.
      resolve(parseRaw(received.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '')))
    }
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`no answer within ${withinMs} ms; received ${JSON.stringify(received.slice(0, 300))}`))
    }, withinMs)
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      received += text
      // A stream of events has no end: its beginning is enough.
      if (received.includes('text/event-stream') && received.includes('\n\n')) settle()
    })
    socket.once('close', settle)
    socket.once('error', settle)
    socket.once('connect', () => socket.write(bytes))
  })
