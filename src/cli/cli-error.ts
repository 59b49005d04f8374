/** A failure that is all in its message: what, where, what was expected, what to try. Shown without a stack. */
export class CliError extends Error {
  override readonly name = 'CliError'
}
