/** `errand config`. */
import { Command } from 'commander'
import { configure } from '../../app-configuration.ts'
import type { ShownSetting } from '../../app-configuration.ts'
import { CliError } from '../cli-error.ts'
import { configText } from '../config-text.ts'
import { loadApp } from '../load-app.ts'

const withoutApp = (): readonly ShownSetting[] => {
  const { complaints, shown } = configure({}, { environment: process.env, dir: process.cwd() })
  if (complaints.length === 0) return shown()
  throw new CliError(
    `The configuration is wrong:\n${complaints.map(({ at, text }) => `  - ${at}: ${text}`).join('\n')}`,
  )
}

interface Options {
  readonly json?: boolean
}

/** Prints every setting as it holds, and where it was said. */
export const configCommand = (): Command =>
  new Command('config')
    .description('print every setting, and where its value comes from; passwords are not shown')
    .argument('[app]', 'the module that exports the app; without it, code says nothing')
    .option('--json', 'as JSON')
    .action(async (file: string | undefined, { json }: Options) => {
      const settings = file === undefined ? withoutApp() : (await loadApp(file)).config()
      process.stdout.write(json ? `${JSON.stringify(settings, null, 2)}\n` : configText(settings))
    })
