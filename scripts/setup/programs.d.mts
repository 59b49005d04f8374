/** Where a program is; undefined when it is not there or `TEST_SKIP` names it. */
export function findProgram(name: string): string | undefined
