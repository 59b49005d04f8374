/** All settings of an app: what can be said of it in its environment and in its configuration file, too. */
import { LISTEN_RULES } from './adapters/listen.ts'
import { LOG_RULES } from './app-logger-options.ts'
import { METRICS_RULES } from './app-metrics-options.ts'
import { LIMIT_RULES } from './config/limits.ts'
import { BOOLEAN, orFalse, path, someText, someTexts, wholeNumber, type Rule } from './config/option-rules.ts'
import { flag, list, number, orOff, text, type Reader } from './config/readers.ts'
import { Schema } from './config/schema.ts'
import { variableOf, type Setting } from './config/setting.ts'
import { isRate, RATE } from './procedures/rate.ts'
import { SIZE } from './router/body-limit.ts'
import { LOCAL_RULES } from './tasks/engines/local.ts'
import { isServerUrl, serverUrlProblem } from './tasks/stores/servers.ts'

type Details = Partial<Omit<Setting, 'path' | 'read' | 'rule' | 'standard' | 'about'>>

const setting = (
  path_: string,
  read: Reader,
  rule: Rule,
  [standard, about]: readonly [standard: string, about: string],
  details: Details = {},
): Setting => ({
  path: path_,
  variable: variableOf(path_),
  read,
  rule,
  standard,
  about,
  secret: false,
  shorthand: undefined,
  implied: false,
  sayable: ['environment', 'file', 'profile'],
  ...details,
})

const isRedis = (value: unknown): boolean =>
  typeof value === 'string' && isServerUrl(value) && serverUrlProblem(value) === undefined

const REDIS: Rule = { holds: isRedis, expected: 'the URL of a Redis, such as redis://localhost:6379' }

const STORE: Rule = {
  holds: (value) => value === 'sqlite' || value === 'memory' || isRedis(value),
  expected: `'sqlite', 'memory' or the URL of a Redis, such as redis://localhost:6379`,
}

const CONNECTION: Rule = {
  holds: (value) =>
    typeof value === 'string' && /^(rediss?|valkeys?|postgres(ql)?):\/\//.test(value) && URL.canParse(value),
  expected: `the URL of a server: redis://, rediss://, valkey://, valkeys:// or postgres://`,
}

const SERVERS: Rule = {
  holds: (value) =>
    Array.isArray(value) &&
    value.every((server: { url?: unknown } | null) => typeof server?.url === 'string'),
  expected: 'a list of servers, such as { url: "https://api.example.com" }',
}

const toServers: Reader = (value) => value.split(',').map((url) => ({ url: url.trim() }))

const ORIGIN: Rule = {
  holds: (value) => someText('').holds(value) || someTexts('').holds(value),
  expected: `'*', or origins such as https://example.com`,
}

const route = (name: string, about: string): Setting =>
  setting(`routes.${name}`, orOff(text), orFalse(path(`/_${name}`)), [`/${name}`, about])

const CHOICE: readonly Setting[] = [
  setting(
    'profile',
    text,
    // Which profiles there are is known when all places are read.
    someText('the name of a profile'),
    ['`NODE_ENV` if it names one, else `development`', 'the profile in force'],
    { sayable: ['environment', 'file'] },
  ),
  setting(
    'config',
    orOff(text),
    orFalse(someText('the path of a file')),
    ['errand.config.*', 'the configuration file; `false` reads none'],
    {
      sayable: ['environment'],
    },
  ),
]

const LISTEN: readonly Setting[] = [
  setting('listen.port', number, LISTEN_RULES.port, ['3000', 'the port; 0 takes a free one'], {
    variable: 'ERRAND_PORT',
  }),
  setting(
    'listen.host',
    text,
    LISTEN_RULES.host,
    ['127.0.0.1', 'the address; `0.0.0.0` for all interfaces'],
    { variable: 'ERRAND_HOST' },
  ),
  setting('listen.work', flag, BOOLEAN, ['true', 'whether a process that serves runs tasks, too'], {
    variable: 'ERRAND_WORK',
  }),
  setting('listen.signals', flag, BOOLEAN, ['true', 'whether SIGTERM and SIGINT close the app'], {
    variable: 'ERRAND_SIGNALS',
  }),
  setting(
    'listen.drainDelay',
    number,
    LISTEN_RULES.drainDelay,
    ['0', 'how long all but `/readyz` goes on after a signal, for load balancers to see it'],
    { variable: 'ERRAND_DRAIN_DELAY' },
  ),
]

const ROUTES: readonly Setting[] = [
  setting('prefix', text, path('/api'), ['none', 'before every path but the probes']),
  route('tasks', 'the routes of tasks by id'),
  route('docs', 'the reference page'),
  { ...route('openapi', 'the document'), standard: '/openapi.json' },
  route('trpc', 'the tRPC endpoint'),
  route('healthz', 'whether the process lives'),
  route('readyz', 'whether it can work'),
  route('metrics', 'metrics for Prometheus, where there are any'),
  setting('cors', flag, BOOLEAN, ['off', 'whether pages of other origins may call'], { implied: true }),
  setting('cors.origin', list, ORIGIN, ['*', 'which origins']),
  setting('cors.credentials', flag, BOOLEAN, ['false', 'whether cookies are let through']),
  setting('cors.headers', list, someTexts('names of headers'), [
    'those asked for',
    'request headers let through',
  ]),
  setting('cors.expose', list, someTexts('names of headers'), [
    "Errand's own",
    'answer headers that a page may read',
  ]),
  setting('cors.maxAge', number, wholeNumber(0, 86_400, 600), [
    '600',
    'seconds that a browser may remember a preflight',
  ]),
]

const limit = (name: keyof typeof LIMIT_RULES, standard: string, about: string): Setting =>
  setting(`limits.${name}`, orOff(number), LIMIT_RULES[name], [standard, about])

const PROTECTION: readonly Setting[] = [
  setting('bodyLimit', number, SIZE, ['1 MiB', 'largest body, in bytes or as `10mb`']),
  limit('url', '8192', 'longest URL, in characters'),
  limit('queryFields', '1000', 'most fields in a query string'),
  limit('headers', '100', 'most headers of a request'),
  limit('headerSize', '16384', 'largest head of a request, in bytes'),
  limit('headersTimeout', '15s', 'longest time for the headers to come'),
  limit('requestTimeout', '2m', 'longest time for a whole request to come'),
  limit('answerTimeout', '1m', 'how long a caller may take nothing of the answer'),
  limit('keepAliveTimeout', '5s', 'how long a connection is kept for its next request'),
  limit('connections', '10000', 'most connections to a server'),
  limit('connectionsPerAddress', 'as `connections`', 'most connections from one address'),
  limit('streams', '8000', 'most streams of events'),
  limit('streamsPerCaller', '2000', 'most streams of one caller'),
  limit(
    'eventLoopDelay',
    '500ms; false in the profile `test`',
    'how late the event loop may be before calls are refused; `false`: any',
  ),
  setting(
    'rateLimit.limit',
    text,
    { holds: isRate, expected: RATE },
    ['none', 'all calls of a caller together, such as `1000/1m`'],
    {
      variable: 'ERRAND_RATE_LIMIT',
      shorthand: 'rateLimit',
    },
  ),
  setting(
    'rateLimit.store',
    text,
    REDIS,
    ['each process', 'a Redis where calls are counted for all processes'],
    { secret: true },
  ),
  setting('trustProxy', number, wholeNumber(0, 100, 1), ['0', 'how many proxies stand before this process']),
]

const { level, format, to, redact } = LOG_RULES

const LOG: readonly Setting[] = [
  setting('logger.level', text, level, ['info; warn in the profile `test`', 'how much the log has'], {
    variable: 'ERRAND_LOG_LEVEL',
  }),
  setting('logger.format', text, format, ['pretty in a terminal, else json', 'for people or programs'], {
    variable: 'ERRAND_LOG_FORMAT',
  }),
  setting('logger.to', text, to, ['stderr', 'where the log is written'], { variable: 'ERRAND_LOG_TO' }),
  setting('logger.redact', list, redact, ['none', 'paths of fields that the log does not show'], {
    variable: 'ERRAND_LOG_REDACT',
  }),
]

const METRICS: readonly Setting[] = [
  setting('metrics', flag, BOOLEAN, ['off', 'whether there are metrics for Prometheus'], { implied: true }),
  setting('metrics.access', text, METRICS_RULES.access, ['local', 'who may read them']),
  setting('metrics.token', text, METRICS_RULES.token, ['none', 'who sends it may, from wherever'], {
    secret: true,
  }),
  setting('metrics.port', number, METRICS_RULES.port, [
    "the app's own",
    'a port of their own, which workers have, too',
  ]),
  setting('metrics.host', text, METRICS_RULES.host, ['127.0.0.1', 'the address of that port']),
]

const { threads, processes, inline, memoryLimit, queueLimit, drainGrace, dir, writer, onDamage } = LOCAL_RULES

const TASKS: readonly Setting[] = [
  setting('tasks.connection', text, CONNECTION, ['none', 'of `bullmq()` and `pgmq()`: the server'], {
    secret: true,
  }),
  setting('tasks.store', text, STORE, ['sqlite', 'of `local()`: where records are kept'], { secret: true }),
  setting('tasks.dir', text, dir, ['.errand', 'of `local()`: the directory of the SQLite file'], {
    variable: 'ERRAND_DATA',
  }),
  setting('tasks.writer', text, writer, ['auto', 'of `local()`: where the SQLite file is written']),
  setting('tasks.onDamage', text, onDamage, [
    'refuse',
    'of `local()`: what a start does when the file is damaged',
  ]),
  setting('tasks.threads', number, threads, ['the cores', 'worker threads']),
  setting('tasks.processes', number, processes, ['the cores', 'worker processes']),
  setting('tasks.inline', number, inline, ['50', 'tasks at once on the event loop']),
  setting('tasks.memoryLimit', number, memoryLimit, [
    "Node's own",
    'heap of one worker, in MiB or as `512mb`',
  ]),
  setting('tasks.queueLimit', number, queueLimit, ['100000', 'how many tasks may be queued']),
  setting('tasks.drainGrace', number, drainGrace, ['25s', 'how long a shutdown waits for running tasks']),
]

const DOCUMENT: readonly Setting[] = [
  setting('openapi.title', text, someText('a text'), ['API', 'title of the document']),
  setting('openapi.version', text, someText('a text'), ['0.0.0', 'version of the API']),
  setting('openapi.description', text, someText('a text'), ['none', 'what it says of the API']),
  setting('openapi.servers', toServers, SERVERS, ['/', 'URLs where the API is']),
]

/** All of them, in the order in which they are shown. */
export const SETTINGS = new Schema([
  ...CHOICE,
  ...LISTEN,
  ...ROUTES,
  ...PROTECTION,
  ...LOG,
  ...TASKS,
  ...METRICS,
  ...DOCUMENT,
])
