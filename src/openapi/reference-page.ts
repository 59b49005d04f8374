/** The reference page: Swagger UI over the document, all of it from our own server. */

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)

/** What the page loads. Paths are absolute: the page itself has no trailing slash to be relative to. */
export interface PageLinks {
  readonly documentPath: string
  readonly stylePath: string
  readonly scriptPaths: readonly string[]
  readonly iconPath: string
}

/** The page as HTML. */
export const referencePage = ({ documentPath, stylePath, scriptPaths, iconPath }: PageLinks): string => {
  const url = escapeHtml(documentPath)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API reference</title>
<link rel="icon" type="image/png" href="${escapeHtml(iconPath)}">
<link rel="stylesheet" href="${escapeHtml(stylePath)}">
<style>body { margin: 0 }</style>
<body>
<main id="reference" data-document="${url}"></main>
<noscript>This page needs JavaScript. The document is at <a href="${url}">${url}</a>.</noscript>
${scriptPaths.map((path) => `<script src="${escapeHtml(path)}"></script>`).join('\n')}
</body>
</html>
`
}

/** Starts Swagger UI. A file of its own: the page's policy runs no inline script. */
export const STARTER = `const element = document.getElementById('reference')
SwaggerUIBundle({
  domNode: element,
  url: element.dataset.document,
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  // Swagger's own validator is on the internet.
  validatorUrl: null,
})
`

/** What the page may do: load from us, call us, nothing else. Swagger UI sets style attributes. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "form-action 'none'",
].join('; ')
