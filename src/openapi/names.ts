/** Names for readers: of components, and of operations in words. */

/** `countPrimes` → `CountPrimes`. */
export const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

/** `OUT_OF_STOCK` → `OutOfStock`. */
export const codeToName = (code: string): string =>
  code
    .split(/[^A-Za-z0-9]+/)
    .map((word) => capital(/[a-z]/.test(word) ? word : word.toLowerCase()))
    .join('')

/** `OUT_OF_STOCK` → `Out of stock`. */
export const codeInWords = (code: string): string =>
  code.charAt(0) + code.slice(1).toLowerCase().replaceAll('_', ' ')

/** A text as the name of a component (OpenAPI 3.1 §4.8.7.1): letters, digits and `._-`. */
export const toComponentName = (text: string): string => text.replace(/[^A-Za-z0-9._-]/g, '_') || '_'

const words = (name: string): string =>
  name
    .replaceAll('_', ' ')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z](?!s\b)[a-z])/g, '$1 $2')
    .trim()
    .split(/\s+/)
    .map((word) => (/^[A-Z][a-z]/.test(word) ? word.toLowerCase() : word))
    .join(' ')

/** `shop.placeOrder` → `Shop: place order`. */
export const pathInWords = (path: string): string => capital(path.split('.').map(words).join(': '))

/** Gives each name once. */
export class Names {
  readonly #taken = new Set<string>()

  /** The first of the wishes that is free, else the last one with a number. */
  claim(...wishes: readonly [string, ...string[]]): string {
    const last = wishes.at(-1) as string
    let name = wishes.find((wish) => !this.#taken.has(wish))
    for (let n = 2; name === undefined; n++) if (!this.#taken.has(last + n)) name = last + n
    this.#taken.add(name)
    return name
  }
}
