/** Which modules a source file names, where, and how: read with the TypeScript parser. */
import ts from 'typescript-js'

/**
 * `type`: erased. `static`: loaded with the file. `dynamic`: loaded when the line runs.
 * `url`: `new URL('./x', import.meta.url)`, loaded by a thread or a process of its own.
 */
export type ImportKind = 'type' | 'static' | 'dynamic' | 'url'

export interface Import {
  readonly specifier: string
  readonly kind: ImportKind
  readonly line: number
  /** The names taken from the module; empty for a namespace, a side effect or a dynamic import. */
  readonly names: readonly string[]
}

export const readImports = (file: string, text: string): Import[] => {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true)
  const found: Import[] = []
  const visit = (node: ts.Node): void => {
    const hit = toImport(node)
    if (hit) found.push({ ...hit, line: source.getLineAndCharacterOfPosition(node.getStart()).line + 1 })
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

type Hit = Omit<Import, 'line'>

const toImport = (node: ts.Node): Hit | undefined => {
  if (ts.isImportDeclaration(node))
    return fromDeclaration(node, node.importClause?.namedBindings, isTypeImport(node))
  if (ts.isExportDeclaration(node)) return fromDeclaration(node, node.exportClause, node.isTypeOnly)
  if (ts.isImportTypeNode(node))
    return ts.isLiteralTypeNode(node.argument) ? hit(node.argument.literal, 'type') : undefined
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
    return hit(node.arguments[0], 'dynamic')
  if (ts.isNewExpression(node) && isUrlBesideModule(node)) return hit(node.arguments?.[0], 'url')
  return undefined
}

const isTypeImport = (node: ts.ImportDeclaration): boolean =>
  node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword

type Bindings = ts.NamedImportBindings | ts.NamedExportBindings

/** `import { type A } from 'x'` still loads x under verbatimModuleSyntax, so only a whole type import is erased. */
const fromDeclaration = (
  node: ts.ImportDeclaration | ts.ExportDeclaration,
  bindings: Bindings | undefined,
  isType: boolean,
): Hit | undefined => hit(node.moduleSpecifier, isType ? 'type' : 'static', namesOf(bindings))

const namesOf = (bindings: Bindings | undefined): string[] =>
  bindings && (ts.isNamedImports(bindings) || ts.isNamedExports(bindings))
    ? bindings.elements
        .filter((element) => !element.isTypeOnly)
        .map(({ propertyName, name }) => (propertyName ?? name).text)
    : []

const isUrlBesideModule = (node: ts.NewExpression): boolean =>
  node.expression.getText() === 'URL' && node.arguments?.[1]?.getText() === 'import.meta.url'

const hit = (argument: ts.Node | undefined, kind: ImportKind, names: string[] = []): Hit | undefined =>
  argument && ts.isStringLiteralLike(argument) ? { specifier: argument.text, kind, names } : undefined
