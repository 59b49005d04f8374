/** Directories that are gone when the test or the file is over. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterwards } from './afterwards.ts'

/** A fresh one. Ask for it before what writes into it, so that it is removed after that has ended. */
export const tempDir = async (): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'errand-test-'))
  afterwards(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }))
  return dir
}
