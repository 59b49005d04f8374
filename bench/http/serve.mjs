// node serve.mjs <set> <peer>: starts one peer, tells the parent its url, then answers questions about its own cost.
const [set, peer] = process.argv.slice(2)
const { start } = await import(`./peers/${set}/${peer}.mjs`)
const url = await start()

process.on('disconnect', () => process.exit())
process.on('message', () => {
  const { user, system } = process.cpuUsage() // of the whole process since its start, in microseconds
  process.send({ cpuMs: (user + system) / 1000, rssMb: process.memoryUsage.rss() / 2 ** 20 })
})
process.send({ url })
