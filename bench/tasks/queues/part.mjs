// node part.mjs <module> <role> <settings>: one process of a contender. It says that it is ready, then does what the
// parent asks, one thing at a time, and says what came of it.
const [module, role, text] = process.argv.slice(2)
const settings = JSON.parse(text)

const { openPart } = await import(role === 'both' ? `./peers/${module}.mjs` : './halves.mjs')
const part = await openPart({ module, role, settings })

process.on('disconnect', () => process.exit())
process.on('message', async ({ action, ...options }) => {
  const { user, system } = process.cpuUsage()
  const answer = action === 'cpu' ? { cpuMs: (user + system) / 1000 } : await part[action](options)
  process.send(answer)
})
process.send('ready')
