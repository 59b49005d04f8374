// What the set-up tells: one line per step, on stderr, so that a command's own output stays clean.

/** A step that could not be done; `cure` is what to try. */
export class SetupError extends Error {
  constructor(message, cure) {
    super(message)
    this.cure = cure
  }
}

export const say = (text) => void process.stderr.write(`setup: ${text}\n`)

/** Tells a step, runs it, and tells how long it took. */
export const step = async (text, work) => {
  say(`${text} …`)
  const started = performance.now()
  const result = await work()
  say(`${text}: done in ${((performance.now() - started) / 1000).toFixed(1)} s`)
  return result
}

export const fail = ({ message, cure }) => {
  process.stderr.write(`\nsetup failed: ${message}\nTry: ${cure}\n`)
  process.exitCode = 1
}
