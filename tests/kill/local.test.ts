/** The kill suite on the embedded engine, in a few rounds. `npm run test:kill -- --rounds 200` runs it at length. */
import { expect, onTestFinished, test } from 'vitest'
import { startHost, type HostProcess } from '../support/host-process.ts'
import { tempDir } from '../support/temp.ts'
import { inLines } from './figures.ts'
import { ON_A_BUSY_MACHINE, SUBJECTS, toEnvironment } from './subjects.ts'
import { runSuite } from './suite.ts'

const ROUNDS = 8

test('nothing that was promised is lost, however hosts end', { timeout: 300_000 }, async () => {
  const seed = Date.now() % 1_000_000
  const { faults, figures } = await runSuite({
    subject: 'local',
    rounds: ROUNDS,
    seed,
    recoversWithin: ON_A_BUSY_MACHINE,
  })
  console.log(`kill suite: local, ${ROUNDS} rounds, --seed ${seed}\n${inLines(figures)}`)
  expect(Object.fromEntries(faults)).toEqual({})
  expect(figures.tasks).toBeGreaterThan(0)
})

test('a store belongs to one host, until that is dead', { timeout: 60_000 }, async () => {
  const dir = await tempDir()
  const start = (): HostProcess => startHost(SUBJECTS.local.main, toEnvironment('local', dir))
  const first = start()
  onTestFinished(() => first.kill('SIGKILL'))
  await first.url
  await expect(start().url).rejects.toThrow('is in use by another process')
  first.kill('SIGKILL')
  await first.ended
  const heir = start()
  await heir.url
  heir.kill('SIGTERM')
  expect(await heir.ended).toEqual({ code: 0, signal: null })
})
