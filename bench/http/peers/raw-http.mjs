// What the two hand-written servers share: a body in, one write out.

export function readJson(req, done) {
  const chunks = []
  req.on('data', (chunk) => chunks.push(chunk))
  req.on('end', () => {
    let value
    try {
      value = JSON.parse((chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)).toString())
    } catch (error) {
      return done(error)
    }
    done(null, value)
  })
}

export function sendJson(res, status, value) {
  const body = JSON.stringify(value)
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  res.end(body)
}

/** Listens on a free loopback port and gives the url. */
export async function listen(server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${server.address().port}`
}
