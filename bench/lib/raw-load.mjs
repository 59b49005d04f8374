// Requests over bare sockets, as many at a time as there are connections: the same bytes each time, and what comes back is
// counted. It never sleeps: waking a client is charged to the server that answers it, the more often the slower it is.
import { connect } from 'node:net'

const bytesOf = ({ port }, { path, headers = {}, body }) =>
  Buffer.from(
    [
      `POST ${path} HTTP/1.1`,
      `host: 127.0.0.1:${port}`,
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      '',
      body,
    ].join('\r\n'),
  )

/** The length of a whole answer, read from the first: all others must be as long. */
function lengthOf(first) {
  const text = first.toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  if (!text.startsWith('HTTP/1.1 200 ') || end < 0) throw new Error(`answered with ${text.slice(0, 300)}`)
  return end + 4 + Number(/^content-length: (\d+)/im.exec(text)[1])
}

/** Keeps this process awake until `work` is done. */
async function awake(work) {
  let isDone = false
  const spin = () => isDone || setImmediate(spin)
  spin()
  try {
    return await work
  } finally {
    isDone = true
  }
}

/** Asks `calls` times; rejects when an answer is not 200, or not as long as the first. */
export async function rawLoad(url, request, { calls, connections }) {
  const target = new URL(url)
  const bytes = bytesOf(target, request)
  let left = calls
  const client = () =>
    new Promise((resolve, reject) => {
      const socket = connect(Number(target.port), target.hostname)
      let [whole, got] = [0, 0]
      const next = () => {
        got = 0
        if (left-- > 0) socket.write(bytes)
        else resolve(socket.destroy())
      }
      const take = (piece) => {
        whole ||= lengthOf(piece)
        got += piece.length
        if (got === whole) next()
        else if (got > whole) throw new Error(`${got} bytes came where ${whole} were expected`)
      }
      socket.setNoDelay()
      socket.on('connect', next).on('error', reject)
      socket.on('close', () => reject(new Error(`${url} hung up`)))
      socket.on('data', (piece) => {
        try {
          take(piece)
        } catch (error) {
          socket.destroy()
          reject(error)
        }
      })
    })
  await awake(Promise.all(Array.from({ length: connections }, client)))
}
