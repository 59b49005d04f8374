/** An app behind a real server on a free port, closed when the test or the file that asked for it is over. */
import { createApp, type App, type AppOptions } from 'errand'
import { afterwards } from './afterwards.ts'
import { request, type Answer, type RequestOptions } from './http.ts'

/** One line of the app's log. */
export interface LogLine {
  readonly level: 'error' | 'warn' | 'info'
  readonly message: string
  readonly fields: object
}

/** A serving app and how to talk to it. */
export interface Served {
  readonly app: App
  readonly url: string
  readonly port: number
  readonly logs: LogLine[]
  /** `send('POST /add', { json: { a: 1, b: 2 } })`. */
  send(line: `${string} ${string}`, options?: RequestOptions): Promise<Answer>
  /** `POST`s JSON. */
  call(path: string, input?: unknown, headers?: Record<string, string>): Promise<Answer>
  get(path: string, headers?: Record<string, string>): Promise<Answer>
}

/** A logger that remembers. A line for each request and each change of a task are not for it. */
export const recordingLogger = (logs: LogLine[]) => {
  const at = (level: LogLine['level']) => (fields: object, message: string) =>
    void logs.push({ level, message, fields })
  const isLevelEnabled = (level: string): boolean => level === 'error'
  return { error: at('error'), warn: at('warn'), info: at('info'), isLevelEnabled }
}

/** Talks to a server. */
export const talkTo = (url: string): Pick<Served, 'send' | 'call' | 'get'> => {
  const send: Served['send'] = (line, options = {}) => {
    const [method = '', path = ''] = line.split(' ')
    return request(method, url + path, options)
  }
  return {
    send,
    call: (path, input, headers = {}) =>
      send(`POST ${path}`, { headers, ...(input === undefined ? {} : { json: input }) }),
    get: (path, headers = {}) => send(`GET ${path}`, { headers }),
  }
}

/** Serves an app that is already made. */
export const serveApp = async (app: object, logs: LogLine[] = []): Promise<Served> => {
  // Apps of different procedures have different types, and none of them matters here.
  const served = app as App
  const server = await served.listen({ port: 0 })
  afterwards(() => server.close())
  return { app: served, url: server.url, port: server.port, logs, ...talkTo(server.url) }
}

/** Makes an app in the test profile and serves it. Its log is in `logs`. */
export const serve = <T extends object, C extends object = object>(
  tree: T,
  options: AppOptions<C> = {},
): Promise<Served> => {
  const logs: LogLine[] = []
  return serveApp(createApp(tree, { profile: 'test', logger: recordingLogger(logs), ...options }), logs)
}
