// One set-up at a time: two installs into one folder would ruin each other.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { TOOLCHAIN } from './places.mjs'
import { say } from './say.mjs'

const FILE = join(TOOLCHAIN, 'setup.lock')
const LOOK_AGAIN = 200

/** Runs `work` while no other set-up of this folder does. */
export const withLock = async (work) => {
  await take()
  try {
    return await work()
  } finally {
    rmSync(FILE, { force: true })
  }
}

const take = async () => {
  for (let told = false; !tryTake(); told = true) {
    const pid = owner()
    if (pid && !isAlive(pid)) rmSync(FILE, { force: true })
    else if (!told) say(`waiting for another set-up (process ${pid ?? 'unknown'}) to finish`)
    await sleep(LOOK_AGAIN)
  }
}

const tryTake = () => {
  mkdirSync(TOOLCHAIN, { recursive: true })
  try {
    writeFileSync(FILE, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

const owner = () => {
  try {
    return Number(readFileSync(FILE, 'utf8')) || undefined // empty: just being written
  } catch {
    return undefined // released between two looks
  }
}

const isAlive = (pid) => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}
