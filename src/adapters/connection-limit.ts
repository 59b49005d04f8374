/**
 * How many connections a server takes. One too many is told so when it asks, as any caller is told anything, and let go
 * of when it does not ask soon; beyond some of those nothing is accepted.
 */
import type { Server, Socket } from 'node:net'
import type { Limits } from '../config/limits.ts'
import { errorData, type ErrorData } from '../protocol/errors.ts'

/** How long one too many may take to ask, in ms. */
const PATIENCE = 2000

/** How many of those there may be: a tenth, and some. */
const spare = (connections: number): number => Math.ceil(connections / 10) + 16

const TOO_MANY = errorData('SERVICE_UNAVAILABLE', 'There are too many connections; try again soon', {
  retryAfter: 1,
})
const TOO_MANY_OF_ONE = errorData('TOO_MANY_REQUESTS', 'There are too many connections from your address', {
  retryAfter: 1,
})

/** The connections of one server. */
export class ConnectionLimit {
  readonly #limits: Limits
  readonly #refused = new Map<Socket, ErrorData>()
  readonly #byAddress = new Map<string, number>()
  #open = 0

  constructor(server: Server, limits: Limits) {
    this.#limits = limits
    server.maxConnections = limits.connections + spare(limits.connections)
    server.on('connection', (socket: Socket) => this.#take(socket))
  }

  /** What is said to whoever asks over a connection that is one too many. */
  refusalOf(socket: Socket): ErrorData | undefined {
    return this.#refused.size === 0 ? undefined : this.#refused.get(socket)
  }

  #take(socket: Socket): void {
    const address = socket.remoteAddress ?? ''
    const ofAddress = this.#byAddress.get(address) ?? 0
    if (this.#open >= this.#limits.connections) return this.#refuse(socket, TOO_MANY)
    if (ofAddress >= this.#limits.connectionsPerAddress) return this.#refuse(socket, TOO_MANY_OF_ONE)
    this.#open += 1
    this.#byAddress.set(address, ofAddress + 1)
    socket.once('close', () => this.#release(address))
  }

  #refuse(socket: Socket, error: ErrorData): void {
    this.#refused.set(socket, error)
    const timer = setTimeout(() => socket.destroy(), PATIENCE)
    socket.once('close', () => {
      clearTimeout(timer)
      this.#refused.delete(socket)
    })
  }

  #release(address: string): void {
    this.#open -= 1
    const left = (this.#byAddress.get(address) as number) - 1
    if (left > 0) this.#byAddress.set(address, left)
    else this.#byAddress.delete(address)
  }
}
