/** Loads a package that a project installs only when it uses what needs it. */

/**
 * What `load` imports.
 * @throws Error with the line that installs the package, when it is missing
 */
export const loadPeer = async <T>(name: string, neededBy: string, load: () => Promise<T>): Promise<T> => {
  try {
    return await load()
  } catch (error) {
    if (!isMissing(error, name)) throw error
    throw new Error(
      `${neededBy} needs the package ${name}, which this project lacks:\n\n  npm install ${name}\n`,
      {
        cause: error,
      },
    )
  }
}

/** Only the package itself: one that is there and can't be loaded says better what is wrong. */
const isMissing = (error: unknown, name: string): boolean =>
  error instanceof Error &&
  (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND' &&
  error.message.includes(`'${name}'`)
