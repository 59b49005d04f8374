/** `errand worker`. */
import { Command, InvalidArgumentError } from 'commander'
import { runWorker } from '../../app-worker.ts'
import { CliError } from '../cli-error.ts'
import { loadApp } from '../load-app.ts'

const toNames = (text: string): string[] => {
  const names = text.split(',').map((name) => name.trim())
  if (names.every((name) => name !== '')) return names
  throw new InvalidArgumentError(
    'Expected names of tasks with commas between them, such as countPrimes,media.thumb.',
  )
}

interface Options {
  readonly only?: readonly string[]
}

/** Runs an app's tasks until a signal ends it. */
const work = async (file: string, { only }: Options): Promise<void> => {
  const app = await loadApp(file)
  const closed = Promise.withResolvers<void>()
  const signals = (signal: NodeJS.Signals): void => {
    console.log(`${signal}: closing, after what is under way. Again to end at once.`)
    closed.resolve(app.close())
  }
  await runWorker(app, { signals, ...(only ? { only } : {}) }).catch((cause: Error) => {
    throw new CliError(`Tasks of ${file} can't be run: ${cause.message}`, { cause })
  })
  console.log(`Running ${only?.join(', ') ?? 'all tasks'} of ${file}.\nCtrl+C ends it.`)
  await closed.promise
}

/** Runs an app's tasks and serves nothing. */
export const workerCommand = (): Command =>
  new Command('worker')
    .description('run the tasks of an app, and serve nothing')
    .argument('<app>', 'the module that exports the app, such as app.ts')
    .option('--only <names>', 'these tasks alone, with commas between them', toNames)
    .action(work)
