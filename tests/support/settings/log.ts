/** The settings of the log, seen by what it writes. */
import { createApp } from 'errand'
import { setTimeout as sleep } from 'node:timers/promises'
import { vi } from 'vitest'
import type { Effects } from './effect.ts'
import { procedures } from './procedures.ts'

/** What an app that was given no logger writes there of a request to nowhere. */
const written = async (to: 'stderr' | 'stdout'): Promise<string> => {
  const texts: string[] = []
  const write = vi.spyOn(process[to], 'write').mockImplementation((text) => texts.push(String(text)) > 0)
  try {
    const app = createApp(procedures)
    await app.fetch(new Request('http://x/nowhere'))
    // Longer than a line waits for others.
    await sleep(100)
    await app.close()
    return texts.filter((text) => text.includes('nowhere') || text.includes('request')).join('')
  } finally {
    write.mockRestore()
  }
}

const isThere = (to: 'stderr' | 'stdout') => async (): Promise<boolean> => (await written(to)) !== ''

export const LOG: Effects = {
  'logger.level': { text: 'error', look: isThere('stderr'), without: true, with: false },
  'logger.format': {
    text: 'pretty',
    look: async () => (await written('stderr')).startsWith('{'),
    without: true,
    with: false,
  },
  'logger.to': { text: 'stdout', look: isThere('stdout'), without: false, with: true },
  'logger.redact': {
    text: 'path,method',
    look: async () => (await written('stderr')).includes('nowhere'),
    without: true,
    with: false,
  },
}
