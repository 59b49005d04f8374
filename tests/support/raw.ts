/** A bare TCP connection: for what no HTTP client would send. */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** An answer cut out of what came over a connection. */
export interface RawAnswer {
  readonly status: number
  readonly head: string
  readonly body: string
}

/** A connection that remembers everything it got. */
export interface RawConnection {
  readonly socket: Socket
  readonly received: () => string
  write(text: string | Uint8Array): void
  /** Ends our half. */
  end(): void
  /** Waits until the other side has ended the connection. */
  closed(withinMs?: number): Promise<void>
  /** Waits until what came passes a test. */
  until(test: (received: string) => boolean, withinMs?: number): Promise<string>
}

const STEP = 10

/** Opens a connection to a port of this host. */
export const openRaw = async (port: number): Promise<RawConnection> => {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let received = ''
  let ended = false
  socket.setEncoding('latin1')
  socket.on('data', (text: string) => (received += text))
  socket.once('end', () => (ended = true))
  socket.once('close', () => (ended = true))
  socket.on('error', () => (ended = true))
  await new Promise((resolve) => socket.once('connect', resolve))
  const wait = async (done: () => boolean, withinMs: number, what: string): Promise<void> => {
    for (const start = performance.now(); !done(); await sleep(STEP))
      if (performance.now() - start > withinMs)
        throw new Error(
          `${what} did not happen within ${withinMs} ms; received ${JSON.stringify(received.slice(0, 500))}`,
        )
  }
  return {
    socket,
    received: () => received,
    write: (text) => void socket.write(text),
    end: () => void socket.end(),
    closed: (withinMs = 5000) => wait(() => ended, withinMs, 'the end of the connection'),
    until: async (test, withinMs = 5000) => {
      await wait(() => test(received), withinMs, 'what was waited for')
      return received
    },
  }
}

/** Sends text and gives all that came until the server closed, or for as long as `forMs`. */
export const exchange = async (port: number, text: string | Uint8Array, forMs = 5000): Promise<string> => {
  const connection = await openRaw(port)
  connection.write(text)
  await connection.closed(forMs).catch(() => undefined)
  connection.socket.destroy()
  return connection.received()
}

/** The first answer in a text. */
export const parseRaw = (text: string): RawAnswer => {
  const end = text.indexOf('\r\n\r\n')
  const head = end < 0 ? text : text.slice(0, end)
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0),
    head,
    body: end < 0 ? '' : text.slice(end + 4),
  }
}

/** The statuses of all answers in a text, in order. */
export const statusesIn = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]))
