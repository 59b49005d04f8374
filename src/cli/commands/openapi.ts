/** `errand openapi`. */
import { Command } from 'commander'
import { documentText, writeWhole } from '../document-text.ts'
import { loadApp } from '../load-app.ts'

/** Writes an app's OpenAPI document. */
export const openapiCommand = (): Command =>
  new Command('openapi')
    .description("write an app's OpenAPI 3.1 document")
    .argument('<app>', 'the module that exports the app, such as app.ts')
    .option('-o, --out <file>', 'where to write it; default: standard output')
    .action(async (file: string, { out }: { readonly out?: string }) => {
      const app = await loadApp(file)
      const text = documentText(await app.openapi())
      if (out === undefined) return void process.stdout.write(text)
      await writeWhole(out, text)
      console.log(`${out} is written.`)
    })
