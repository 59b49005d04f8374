/** `runWorker`: a process that runs an app's tasks and serves nothing. */
import { SIGNALS, type ListenOptions } from './adapters/listen.ts'
import { optionProblems, refuseProblems, type Rules } from './config/option-rules.ts'

/** What to run, and when to end. */
export interface WorkerOptions extends Pick<ListenOptions, 'signals'> {
  /** Dotted names of tasks, such as `['media.thumb']`; others are left to other processes. Default: all of the app. */
  readonly only?: readonly string[]
}

/** A process that works. `await using` closes it. */
export interface RunningWorker extends AsyncDisposable {
  /** Takes no more tasks, lets those that run end for as long as `drainGrace` says, and gives the rest back. */
  close(): Promise<void>
}

const RULES: Rules<WorkerOptions> = {
  signals: SIGNALS,
  only: {
    holds: (value) =>
      Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string'),
    expected: `a list of tasks by name, such as ['countPrimes']`,
  },
}

/** @throws TypeError that names each wrong option, its value and what was expected */
export const checkWorkerOptions = (options: WorkerOptions): void =>
  refuseProblems('runWorker()', optionProblems(options, RULES))

type Work = (options: WorkerOptions) => Promise<RunningWorker>

// Not a method of the app, as whoever serves has no use for it; and a name that all copies of this package share.
const WORK = Symbol.for('errand.work')

/** Lets `runWorker` find how an app works. */
export const registerWork = (app: object, work: Work): void =>
  void Object.defineProperty(app, WORK, { value: work })

/**
 * Runs tasks of an app until a signal, or `close`, ends it. On an engine of many hosts there may be any number of such
 * processes; a `local` engine has one process, which may be this.
 *
 * @throws TypeError when `only` names what is no task of the app
 *
 * @example await runWorker(app, { only: ['countPrimes'] })
 */
export const runWorker = async (app: object, options: WorkerOptions = {}): Promise<RunningWorker> => {
  const work = (app as { [WORK]?: Work })[WORK]
  if (!work)
    throw new TypeError('runWorker() was given something that is no app: give it what createApp returned')
  return work(options)
}
