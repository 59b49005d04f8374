/** What is done when a test is over; outside of vitest, when whoever runs says so. */

const vitest = process.env['VITEST'] ? await import('vitest') : undefined

type Act = () => Promise<unknown>

const atTheEnd: Act[] = []

/** Runs when the test is over, or when the file is, for what was made outside of a test. */
export const afterwards = (act: Act): void => {
  if (vitest?.expect.getState().currentTestName) return vitest.onTestFinished(async () => void (await act()))
  let done: Promise<unknown> | undefined
  const once: Act = () => (done ??= act())
  atTheEnd.push(once)
  // Nobody hears of it where a hook calls: then the last of all does it.
  vitest?.afterAll(async () => void (await once()))
}

/** Does all that is left, the last first. */
export const endAll = async (): Promise<void> => {
  for (const act of atTheEnd.splice(0).toReversed()) await act()
}

// Whatever a file does at its end comes before this, which was the first to be asked for.
vitest?.afterAll(endAll)
