/** The ways a host dies, each from its start to its death. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { HostProcess } from '../support/host-process.ts'
import type { Random } from './random.ts'

/** What a way to die may do. */
export interface Scene {
  readonly random: Random
  /** Starts a host. */
  start(): HostProcess
  /** Once it serves: callers come. Resolves with whether it does serve. */
  serve(host: HostProcess): Promise<void>
  /** Process ids of workers that were seen of late. */
  workers(host: HostProcess): readonly number[]
  fault(what: string): void
}

const kill = async (host: HostProcess): Promise<void> => {
  host.kill('SIGKILL')
  await host.ended
}

const lives = (scene: Scene, from: number, to: number): Promise<void> => sleep(scene.random.between(from, to))

const underLoad = async (scene: Scene): Promise<void> => {
  const host = scene.start()
  await scene.serve(host)
  await lives(scene, 100, 1500)
  await kill(host)
}

const whileItStarts = async (scene: Scene): Promise<void> => {
  const host = scene.start()
  // It may get as far as to serve, to nobody.
  await lives(scene, 0, 900)
  await kill(host)
}

const whileItDrains = async (scene: Scene): Promise<void> => {
  const host = scene.start()
  await scene.serve(host)
  await lives(scene, 100, 900)
  host.kill('SIGTERM')
  await Promise.race([host.ended, lives(scene, 0, 900)])
  await kill(host)
}

const againAndAgain = async (scene: Scene): Promise<void> => {
  for (let times = 0; times < 3; times++) {
    const host = scene.start()
    await scene.serve(host)
    await lives(scene, 0, 60)
    await kill(host)
  }
}

const workerThenHost = async (scene: Scene): Promise<void> => {
  const host = scene.start()
  await scene.serve(host)
  await lives(scene, 300, 1200)
  for (const pid of scene.workers(host)) killIfThere(pid)
  await lives(scene, 50, 400)
  await kill(host)
}

const killIfThere = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended of itself.
  }
}

const bySigterm = async (scene: Scene): Promise<void> => {
  const host = scene.start()
  await scene.serve(host)
  await lives(scene, 100, 900)
  host.kill('SIGTERM')
  const { code, signal } = await host.ended
  if (code !== 0) scene.fault(`SIGTERM ended a host with ${signal ?? code}, expected 0: ${host.errors()}`)
}

/** By name. */
export const KILLINGS = {
  'under load': underLoad,
  'while it starts': whileItStarts,
  'while it drains': whileItDrains,
  'again and again': againAndAgain,
  'one worker, then the host': workerThenHost,
  'by SIGTERM alone': bySigterm,
} as const satisfies Record<string, (scene: Scene) => Promise<void>>

export type Killing = keyof typeof KILLINGS
