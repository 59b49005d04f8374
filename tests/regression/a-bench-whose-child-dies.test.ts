/** A bench whose server died at its start waited for its first message, and ended without a word of why. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tempDir } from '../support/temp.ts'

type Talk = (child: ChildProcess, ...rest: readonly unknown[]) => Promise<unknown>

// Benches are plain JavaScript, without types.
const file = new URL('../../bench/lib/children.mjs', import.meta.url).href
const { nextMessage, ask } = (await import(file)) as { readonly nextMessage: Talk; readonly ask: Talk }

const child = async (source: string): Promise<ChildProcess> => {
  const module = join(await tempDir(), 'child.mjs')
  writeFileSync(module, source)
  return fork(module, { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
}

test('a child that dies before its message rejects with how it ended and what it said', async () => {
  const dies = await child('process.exit(3)')
  await expect(nextMessage(dies, 'the server', () => 'too old')).rejects.toThrow(
    'the server ended (3) before it answered\ntoo old',
  )
})

test('a child that is dead already gives no answer', async () => {
  const dead = await child('')
  await once(dead, 'exit')
  await expect(ask(dead, 'cpu', 'the server')).rejects.toThrow('the server ended (0) before it answered')
})

test('a child that lives answers', async () => {
  const lives = await child("process.on('message', (said) => process.send(`${said}!`)).send('ready')")
  try {
    expect(await nextMessage(lives, 'the server')).toBe('ready')
    expect(await ask(lives, 'cpu', 'the server')).toBe('cpu!')
  } finally {
    lives.kill()
  }
})
