/** A network between a client and a server that can hold back what is on its way, and deliver it late. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterwards } from '../afterwards.ts'

/** What is between them. */
export interface Proxy {
  readonly port: number
  /** Where new connections lead from now on. */
  leadTo(port: number): void
  /** From now on nothing arrives, in either direction, of the connections that there are; new ones are not affected. */
  hold(): void
  /** Delivers to the server what was held back, whether or not its sender is still there. */
  release(): void
}

class Link {
  readonly #client: Socket
  readonly #server: Socket
  #held: Buffer[] | undefined

  constructor(client: Socket, port: number) {
    this.#client = client
    this.#server = connect({ port, host: '127.0.0.1' })
    client.on('data', (data) => (this.#held ? this.#held.push(data) : this.#server.write(data)))
    this.#server.on('data', (data) => this.#held ?? client.write(data))
    client.on('close', () => this.#held ?? this.#server.destroy())
    this.#server.on('close', () => client.destroy())
    for (const socket of [client, this.#server]) socket.on('error', () => {})
  }

  hold(): void {
    this.#held ??= []
  }

  release(): void {
    for (const data of this.#held ?? []) this.#server.write(data)
    this.#held = undefined
  }

  cut(): void {
    this.#client.destroy()
    this.#server.destroy()
  }
}

/** A proxy in front of a port of this machine. */
export const startProxy = async (port: number): Promise<Proxy> => {
  const links: Link[] = []
  let target = port
  const server = createServer((client) => void links.push(new Link(client, target)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  afterwards(async () => {
    server.close()
    links.forEach((link) => link.cut())
  })
  return {
    port: (server.address() as AddressInfo).port,
    leadTo: (next) => void (target = next),
    hold: () => links.forEach((link) => link.hold()),
    release: () => links.forEach((link) => link.release()),
  }
}
