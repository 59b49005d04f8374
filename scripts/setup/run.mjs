// The real command: same terminal, our Node and tools first in PATH, signals and exit code passed on.
import { spawn } from 'node:child_process'
import { delimiter, dirname, join } from 'node:path'
import { machineConfig } from './npm.mjs'
import { MODULES } from './places.mjs'
import { fail, SetupError } from './say.mjs'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Within this time a signal is the same one again: npm passes on what the whole process group also got. */
const ECHO_MS = 500

/** How often we look whether whoever called us is still there. */
const LOOK_MS = 250

export const run = ([program, ...args], { node, env }) => {
  const PATH = [dirname(node), join(MODULES, '.bin'), process.env.PATH].join(delimiter)
  const child = spawn(program, args, {
    stdio: 'inherit',
    env: { ...process.env, ...machineConfig(), ...env, PATH, NODE: node, npm_node_execpath: node },
  })
  child.on('error', (error) =>
    fail(new SetupError(`${program}: ${error.message}`, 'look whether the command exists')),
  )
  const send = toSender(child)
  const stopListening = listen(send)
  endWithParent(send)
  child.on('exit', (code, signal) => {
    stopListening()
    if (signal) process.kill(process.pid, signal)
    else process.exitCode = code
  })
}

/** Passes a signal on, but not its echo. */
const toSender = (child) => {
  const last = {}
  return (signal) => {
    const now = performance.now()
    if (now - (last[signal] ?? -Infinity) > ECHO_MS) child.kill(signal)
    last[signal] = now
  }
}

const listen = (send) => {
  // Ctrl-C in a terminal reaches every process of the group by itself.
  const onSignal = (signal) => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) send(signal)
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  return () => SIGNALS.forEach((signal) => process.off(signal, onSignal))
}

/** A killed npm takes its shell with it, but not us: the shell passes nothing on. Then the command has to end too. */
const endWithParent = (send) => {
  if (!process.env.npm_lifecycle_event) return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    send('SIGTERM')
  }, LOOK_MS)
  timer.unref()
}
