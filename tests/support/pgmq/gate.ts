/** A way to a server that can be shut: then what was under way is cut, and nobody comes in any more. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'

export interface Gate {
  /** The server's, by way of the gate. */
  readonly url: string
  /** Cuts all connections; new ones are refused. */
  shut(): void
}

/** Opens one before the server of a URL. */
export const openGate = async (url: string): Promise<Gate> => {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  const server = createServer((inside) => {
    const outside = connect(Number(target.port), target.hostname)
    for (const [socket, other] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.pipe(other)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const gated = new URL(url)
  gated.port = String((server.address() as AddressInfo).port)
  return {
    url: gated.href,
    shut: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
