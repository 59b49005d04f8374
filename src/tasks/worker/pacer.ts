/**
 * Tells a handler that reports now and then, whose reports are posted at once (a busy loop may come next),
 * from one that floods its host, whose reports are better posted together.
 */

/** Reports in one millisecond that are still posted one by one. */
const BURST = 8

export interface Pacer {
  /** Called once per report. */
  isSlow(): boolean
}

export const createPacer = (): Pacer => {
  let window = 0
  let reports = 0
  return {
    isSlow() {
      const now = Math.floor(performance.now())
      reports = now === window ? reports + 1 : 1
      window = now
      return reports <= BURST
    },
  }
}
