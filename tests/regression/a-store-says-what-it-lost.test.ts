/** Three ways in which a store lost tasks, or gave out wrong ones, and said nothing. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { local } from '../../src/tasks/engines/local.ts'
import { FakeHost } from '../../src/testing/suites/engine/fake-host.ts'
import { createTaskId } from '../../src/tasks/id.ts'
import { tempDir } from '../support/temp.ts'

/** What a kill leaves of a store with five tasks, each in a commit of its own. */
const killedStore = async (): Promise<string> => {
  const [live, killed] = [await tempDir(), await tempDir()]
  const engine = await local({ dir: live }).create()
  await engine.open(new FakeHost(0))
  for (let n = 0; n < 5; n++)
    await engine.submit({
      id: createTaskId(),
      procedure: 'work',
      input: `input number ${n}`,
      maxAttempts: 1,
      owner: null,
      priority: 0,
    })
  cpSync(live, killed, { recursive: true })
  await engine.close()
  return killed
}

/** The inputs of the tasks that are there, or why it can't be opened; and what was reported. */
const open = async (dir: string) => {
  const host = new FakeHost(0)
  const engine = await local({ dir }).create()
  try {
    await engine.open(host)
    const { items } = await engine.list({ limit: 100 })
    return { inputs: items.map(({ input }) => input), reports: host.reports }
  } catch (error) {
    return { refusal: (error as Error).message }
  } finally {
    await engine.close()
  }
}

const flip = (file: string, at: (bytes: Buffer) => number): void => {
  const bytes = readFileSync(file)
  bytes[at(bytes)]! ^= 1
  writeFileSync(file, bytes)
}

test('a store whose file is gone, but not its log, does not start empty', async () => {
  const dir = await killedStore()
  rmSync(join(dir, 'tasks.db'))
  expect(await open(dir)).toEqual({ refusal: expect.stringContaining('tasks.db is missing, and there is') })
})

test('a flipped bit in the log does not take the tasks behind it with it in silence', async () => {
  const dir = await killedStore()
  flip(join(dir, 'tasks.db-wal'), (bytes) => bytes.indexOf('input number 2'))
  expect(await open(dir)).toEqual({ refusal: expect.stringContaining('acknowledged commits are missing') })
})

test('a flipped bit in a record does not make another record of it', async () => {
  const dir = await killedStore()
  expect(await open(dir)).toMatchObject({ inputs: { length: 5 }, reports: [] })
  flip(join(dir, 'tasks.db'), (bytes) => bytes.indexOf('input number 2') + 'input number '.length)
  const { inputs, reports } = await open(dir)
  expect(inputs).toHaveLength(4)
  expect(reports).toEqual([expect.stringContaining("can't be read")])
})
