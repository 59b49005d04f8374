import app from './app.mjs'

const { url } = await app.listen({ port: 0 })
process.on('disconnect', () => process.exit())
process.send(url)
