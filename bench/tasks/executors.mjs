// Errand's executors, which it does not export, from the build or the source that is measured.
import { pathToFileURL } from 'node:url'
import { errandFile } from '../errand.mjs'

const entry = pathToFileURL(errandFile())
const extension = entry.href.endsWith('.ts') ? 'ts' : 'js'
const load = (path) => import(new URL(`tasks/${path}.${extension}`, entry))

export const { createThreads } = await load('executors/threads')
export const { createProcesses } = await load('executors/processes')
export const { registerApp } = await load('worker/registry')
