// Runs a program silently; on failure its last lines are the message.
import { spawn } from 'node:child_process'
import { SetupError } from './say.mjs'

const LAST_LINES = 25

/** Resolves when the program ends well; `cure` is what to try when it does not. */
export const capture = (program, args, { cure, ...options }) =>
  new Promise((resolve, reject) => {
    const shown = [program, ...args].join(' ')
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.on('error', (error) => reject(new SetupError(`${shown}: ${error.message}`, cure)))
    child.on('close', (code, signal) => {
      if (code === 0) return resolve()
      const tail = output.trimEnd().split('\n').slice(-LAST_LINES).join('\n')
      reject(new SetupError(`${shown} ended with ${signal ?? code}:\n${tail}`, cure))
    })
  })
