#!/usr/bin/env node
/** The `errand` command. It imports nothing before the check: an older Node can't load the rest. */

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `errand needs Node 22.18 or newer, and this is ${process.versions.node}: ` +
      'install a newer one (https://nodejs.org), and run it again.',
  )
  process.exitCode = 1
} else {
  const { runProgram } = await import('./program.ts')
  await runProgram()
}
