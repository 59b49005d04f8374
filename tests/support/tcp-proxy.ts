/** A proxy that loses connections and answers, as networks do. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterwards } from './afterwards.ts'

/** A proxy in front of a port of this host. */
export interface TcpProxy {
  readonly url: string
  /** Cuts every connection. */
  cut(): void
  /** Connections whose last request was for such a path. */
  open(path: RegExp): number
  /** How many connections there were. */
  readonly connections: number
  /** Cuts the next so many connections at the first word of an answer to such a request: it was heard, and nobody knows. */
  loseAnswers(path: RegExp, count: number): void
}

interface Pair {
  readonly client: Socket
  readonly server: Socket
  request: string
}

/** Opens one, closed when the test or the file is over. */
export const openTcpProxy = async (port: number): Promise<TcpProxy> => {
  const pairs = new Set<Pair>()
  let connections = 0
  let losing: { path: RegExp; count: number } | undefined
  const end = (pair: Pair): void => {
    pairs.delete(pair)
    pair.client.destroy()
    pair.server.destroy()
  }
  const join = (client: Socket): void => {
    connections += 1
    const pair: Pair = { client, server: connect(port, '127.0.0.1'), request: '' }
    pairs.add(pair)
    client.on('data', (bytes: Buffer) => {
      pair.request = /^[A-Z]+ (\S+) HTTP/.exec(bytes.toString('latin1'))?.[1] ?? pair.request
      pair.server.write(bytes)
    })
    pair.server.on('data', (bytes: Buffer) => {
      if (losing && losing.count > 0 && losing.path.test(pair.request)) {
        losing.count -= 1
        return end(pair)
      }
      client.write(bytes)
    })
    for (const socket of [client, pair.server])
      socket.on('error', () => end(pair)).on('close', () => end(pair))
  }
  const server = createServer(join)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = (): void => pairs.forEach(end)
  afterwards(async () => {
    server.close()
    cut()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    open: (path) => [...pairs].filter(({ request }) => path.test(request)).length,
    get connections() {
      return connections
    },
    loseAnswers: (path, count) => {
      losing = { path, count }
    },
  }
}
