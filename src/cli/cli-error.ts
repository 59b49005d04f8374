/** A failure that is the whole message: what, where, what was expected, what to try. It is shown without a stack. */
export class CliError extends Error {
  override readonly name = 'CliError'
}
