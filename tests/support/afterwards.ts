/** What is done when a test is over; outside of vitest, when whoever runs says so. */

const vitest = process.env['VITEST'] ? await import('vitest') : undefined

type Act = () => Promise<unknown>

const atTheEnd: Act[] = []

/** Runs when the test is over, or when the file is, for what was made outside of a test. */
export const afterwards = (act: Act): void => {
  if (!vitest) atTheEnd.push(act)
  else if (vitest.expect.getState().currentTestName) vitest.onTestFinished(async () => void (await act()))
  else vitest.afterAll(async () => void (await act()))
}

/** Outside of vitest: does it all, the last first. */
export const endAll = async (): Promise<void> => {
  for (const act of atTheEnd.splice(0).toReversed()) await act()
}
