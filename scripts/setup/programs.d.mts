/** Where a program is; undefined when it is not there or `ERRAND_SKIP` names it. */
export function findProgram(name: string): string | undefined
