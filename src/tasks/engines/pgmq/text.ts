/** Any JavaScript string as a text of Postgres, which holds neither NUL nor half a surrogate pair. */

const escape = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`

const UNFIT = /[\\\0]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** Different strings stay different. */
export const toText = (value: string): string => value.replace(UNFIT, escape)

/** The string again. */
export const fromText = (text: string): string =>
  text.replace(/\\u([0-9a-f]{4})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
