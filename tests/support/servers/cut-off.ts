/** A way to a server that can be cut: from then on its user reaches nothing, as one whose machine is gone. */
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterwards } from '../afterwards.ts'

export interface Cut {
  /** The server's, by this way. */
  readonly url: string
  /** Breaks all connections and takes no more. */
  cut(): void
  /** Takes connections again. */
  mend(): void
}

/** Opens a way to the server that a URL names. */
export const cutOff = async (url: string): Promise<Cut> => {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let isCut = false
  const relay = createServer((near) => {
    if (isCut) return void near.destroy()
    const far = createConnection({ port: Number(target.port), host: target.hostname })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.setNoDelay(true).pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  const cut = (): void => {
    isCut = true
    for (const socket of sockets) socket.destroy()
  }
  afterwards(async () => {
    cut()
    await new Promise((resolve) => relay.close(resolve))
  })
  const way = new URL(url)
  way.port = String((relay.address() as AddressInfo).port)
  return { url: way.href, cut, mend: () => (isCut = false) }
}
