/** A node:http server of our own: opens, tells where it is, and closes without cutting anybody off. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Limits } from '../config/limits.ts'
import {
  BOOLEAN,
  duration,
  LONGEST_TIMER,
  optionProblems,
  refuseProblems,
  someText,
  wholeNumber,
  type Rule,
  type Rules,
} from '../config/option-rules.ts'
import type { Duration } from '../protocol/duration.ts'
import { limitServer, serverOptions, type Serving } from './server-limits.ts'

/** Where to listen, and when to end. */
export interface ListenOptions {
  /** Default: `ERRAND_PORT`, else 3000; 0 takes a free one. */
  readonly port?: number
  /** Default: `ERRAND_HOST`, else `127.0.0.1`; `0.0.0.0` for all interfaces. */
  readonly host?: string
  /**
   * Whether SIGTERM and SIGINT close the app, as its `close()` does; the process then ends, and at once with a second
   * signal. A function is told of the first one. Default true.
   */
  readonly signals?: boolean | ((signal: NodeJS.Signals) => void)
  /**
   * Whether this process runs tasks too, or only starts them for others to run, as an engine of many hosts allows.
   * Default: `ERRAND_WORK`, else true.
   */
  readonly work?: boolean
  /**
   * How long all goes on after a signal or `close()`, but for `/readyz`, which says 503 at once: as long as load balancers
   * take to see it and to send calls elsewhere. Default: `ERRAND_DRAIN_DELAY`, else 0.
   */
  readonly drainDelay?: Duration
}

/** What `signals` must be, wherever it is an option. */
export const SIGNALS: Rule = {
  holds: (value) => typeof value === 'boolean' || typeof value === 'function',
  expected: 'true, false or a function that is told of a signal',
}

/** What each must be. */
export const LISTEN_RULES: Rules<ListenOptions> = {
  port: wholeNumber(0, 65_535, 3000),
  host: someText(`an address, such as '0.0.0.0'`),
  signals: SIGNALS,
  work: BOOLEAN,
  drainDelay: duration(0, LONGEST_TIMER, 'a duration'),
}

/** @throws TypeError that names each wrong option, its value and what was expected */
export const checkListenOptions = (options: ListenOptions): void =>
  refuseProblems('listen()', optionProblems(options, LISTEN_RULES))

/** A listening server. `await using` closes it. */
export interface RunningServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Takes no new requests and resolves when those under way are answered. */
  close(): Promise<void>
}

/** A server as the app holds it. */
export interface OwnServer extends RunningServer {
  /** Ends what is still under way. */
  cut(): void
}

const portProblem = (error: NodeJS.ErrnoException, port: number, host: string): Error => {
  if (error.code === 'EADDRINUSE')
    return new Error(
      `Port ${port} on ${host} is taken: end what listens there, or choose another port (PORT=${port + 1})`,
      { cause: error },
    )
  if (error.code === 'EACCES')
    return new Error(`Port ${port} on ${host} needs more rights: choose a port from 1024 up`, {
      cause: error,
    })
  return error
}

const open = (server: Server, port: number, host: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (error) => reject(portProblem(error, port, host)))
    server.listen(port, host, resolve)
  })

/** Milliseconds between looks for connections that came to rest. */
const LOOK = 50

/** Milliseconds in which a new connection may say its first word, though it comes as the server closes. */
const FIRST_WORD = 500

/** The open connections of a server, with when they came. */
const connectionsOf = (server: Server): ReadonlyMap<Socket, number> => {
  const sockets = new Map<Socket, number>()
  server.on('connection', (socket: Socket) => {
    sockets.set(socket, performance.now())
    socket.once('close', () => sockets.delete(socket))
  })
  return sockets
}

// A connection that is answered after this would be kept open for the next request, which is not taken any more. One
// that never said anything, as browsers open them in advance, counts as busy with its first request in Node's eyes; one
// that has only just come is about to ask.
const close = (server: Server, connections: ReadonlyMap<Socket, number>): Promise<void> =>
  new Promise((resolve) => {
    const look = (): void => {
      server.closeIdleConnections()
      const latest = performance.now() - FIRST_WORD
      for (const [socket, since] of connections)
        if (socket.bytesRead === 0 && since < latest) socket.destroy()
    }
    const looking = setInterval(look, LOOK)
    server.close(() => {
      clearInterval(looking)
      resolve()
    })
    look()
  })

const urlHost = (host: string): string =>
  host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host

/** Starts a server. Rejects with what to try when the port can't be had. */
export const startServer = async (
  serving: Serving,
  options: ListenOptions,
  limits: Limits,
): Promise<OwnServer> => {
  const { port: wanted = 3000, host = '127.0.0.1' } = options
  const server = createServer({ optimizeEmptyRequests: true, ...serverOptions(limits) } as object)
  limitServer(server, limits, serving)
  const connections = connectionsOf(server)
  await open(server, wanted, host)
  const { port } = server.address() as AddressInfo
  let closing: Promise<void> | undefined
  const end = () => (closing ??= close(server, connections))
  const cut = () => server.closeAllConnections()
  return { url: `http://${urlHost(host)}:${port}`, port, close: end, cut, [Symbol.asyncDispose]: end }
}
