// Errand's executors, which it does not export: from the source, as a build joins them with the rest.
const load = (path) => import(new URL(`../../src/tasks/${path}.ts`, import.meta.url))

export const { createThreads } = await load('executors/threads')
export const { createProcesses } = await load('executors/processes')
export const { registerApp } = await load('worker/registry')
