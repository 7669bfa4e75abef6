/** Reads from TypeScript source what it refers to: by a parser, so that strings and comments don't count. */
import { isBuiltin } from 'node:module';
import { parseAst } from 'vitest/node';

export interface Import {
  /** What is written, with Node's own modules always as `node:…`; `null` when it is computed. */
  readonly specifier: string | null;
  /** Whether it is loaded by `import()` when the program gets there. */
  readonly isDynamic: boolean;
}

export interface SourceFacts {
  readonly imports: readonly Import[];
  readonly readsEnvironment: boolean;
}

type Node = Readonly<Record<string, unknown>>;

export function readSource(path: string, source: string): SourceFacts {
  const imports: Import[] = [];
  let readsEnvironment = false;
  visit(parseAst(source, { lang: 'ts', astType: 'ts' }, path), (node) => {
    const found = importOf(node);
    if (found) imports.push(found);
    readsEnvironment ||= isEnvironmentRead(node);
  });
  return { imports, readsEnvironment };
}

function visit(value: unknown, see: (node: Node) => void): void {
  if (Array.isArray(value)) for (const item of value) visit(item, see);
  if (!isNode(value)) return;
  see(value);
  for (const child of Object.values(value)) if (typeof child === 'object') visit(child, see);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function importOf(node: Node): Import | null {
  switch (node['type']) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'TSImportType':
      return { specifier: literal(node['source']), isDynamic: false };
    case 'ExportNamedDeclaration':
      return isNode(node['source']) ? { specifier: literal(node['source']), isDynamic: false } : null;
    case 'TSExternalModuleReference':
      return { specifier: literal(node['expression']), isDynamic: false };
    case 'ImportExpression':
      return { specifier: literal(node['source']), isDynamic: true };
    case 'CallExpression':
      return isNamed(node['callee'], 'require')
        ? { specifier: literal(first(node)), isDynamic: false }
        : null;
    case 'NewExpression':
      return isNamed(node['callee'], 'URL') ? workerImport(node) : null;
    default:
      return null;
  }
}

/** `new URL('./worker.ts', import.meta.url)`: how a file of ours is named to start it as a thread. */
function workerImport(node: Node): Import | null {
  const specifier = literal(first(node));
  return specifier !== null && /^\.{1,2}\/.*\.ts$/.test(specifier) ? { specifier, isDynamic: true } : null;
}

function first(node: Node): unknown {
  const list = node['arguments'];
  return Array.isArray(list) ? list[0] : undefined;
}

function literal(node: unknown): string | null {
  if (!isNode(node)) return null;
  if (typeof node['value'] === 'string') {
    const name = node['value'];
    return isBuiltin(name) && !name.startsWith('node:') ? `node:${name}` : name;
  }
  const quasis = node['quasis'];
  if (!Array.isArray(quasis) || quasis.length !== 1) return null;
  const text: unknown = quasis[0]?.value?.cooked;
  return literal({ value: text });
}

function isNamed(node: unknown, name: string): boolean {
  return isNode(node) && (node['name'] === name || node['value'] === name);
}

function isProcess(node: unknown): boolean {
  return isNamed(node, 'process') || (isNode(node) && isNamed(node['property'], 'process'));
}

function isEnvironmentRead(node: Node): boolean {
  switch (node['type']) {
    case 'MemberExpression':
      return isNamed(node['property'], 'env') && isProcess(node['object']);
    case 'VariableDeclarator':
      return isProcess(node['init']) && takesEnv(node['id']);
    case 'AssignmentExpression':
      return isProcess(node['right']) && takesEnv(node['left']);
    case 'ImportDeclaration':
      return literal(node['source']) === 'node:process' && importsEnv(node['specifiers']);
    default:
      return false;
  }
}

function takesEnv(pattern: unknown): boolean {
  const properties = isNode(pattern) ? pattern['properties'] : undefined;
  return Array.isArray(properties) && properties.some((property: Node) => isNamed(property['key'], 'env'));
}

function importsEnv(specifiers: unknown): boolean {
  return Array.isArray(specifiers) && specifiers.some((one: Node) => isNamed(one['imported'], 'env'));
}
