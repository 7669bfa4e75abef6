/**
 * The text of a GraphQL document, whichever way a program holds it: text, a typed document string of code
 * generation, or the syntax tree of `graphql-tag` and of typed documents. Executable documents only
 * (https://spec.graphql.org/September2025/#sec-Document-Syntax); a tree with anything else is refused.
 */

/** A document that knows the types of its result and variables, as code generation makes it. */
export interface TypedDocument<Result, Variables> {
  /** Never there: it carries the types (`@graphql-typed-document-node/core`). */
  readonly __apiType?: (variables: Variables) => Result;
}

/** A node of the tree, as `graphql` builds it. */
type Node = Readonly<Record<string, unknown>>;

function refuse(what: string): never {
  throw new TypeError(`"document" must be the text or the tree of an executable document, got ${what}`);
}

function toNode(value: unknown): Node {
  return typeof value === 'object' && value !== null ? { ...value } : refuse(typeof value);
}

function listOf(node: Node, member: string): readonly Node[] {
  const list = node[member] ?? [];
  return Array.isArray(list) ? list.map(toNode) : refuse(`${member} that is no list`);
}

/** The text of member `member`, each node of it printed, or '' where there is none. */
function all(
  node: Node,
  member: string,
  [before, between, after]: readonly [string, string, string],
): string {
  const printed = listOf(node, member).map(print);
  return printed.length === 0 ? '' : `${before}${printed.join(between)}${after}`;
}

const one = (node: Node, member: string, before = ''): string =>
  node[member] === undefined || node[member] === null ? '' : before + print(toNode(node[member]));

const directives = (node: Node): string => all(node, 'directives', [' ', ' ', '']);
const token = (node: Node): string =>
  typeof node['value'] === 'string' ? node['value'] : refuse('no value');

/** How each kind of node is written. */
const PRINTERS: ReadonlyMap<unknown, (node: Node) => string> = new Map([
  ['Document', (node) => all(node, 'definitions', ['', '\n', ''])],
  [
    'OperationDefinition',
    (node) =>
      `${String(node['operation'])}${one(node, 'name', ' ')}${all(node, 'variableDefinitions', ['(', ', ', ')'])}${directives(node)}${one(node, 'selectionSet')}`,
  ],
  [
    'VariableDefinition',
    (node) =>
      `${one(node, 'variable')}: ${one(node, 'type')}${one(node, 'defaultValue', ' = ')}${directives(node)}`,
  ],
  [
    'FragmentDefinition',
    (node) =>
      `fragment ${one(node, 'name')} on ${one(node, 'typeCondition')}${directives(node)}${one(node, 'selectionSet')}`,
  ],
  ['SelectionSet', (node) => all(node, 'selections', [' { ', ' ', ' }'])],
  [
    'Field',
    (node) =>
      `${node['alias'] ? `${one(node, 'alias')}: ` : ''}${one(node, 'name')}${all(node, 'arguments', ['(', ', ', ')'])}${directives(node)}${one(node, 'selectionSet')}`,
  ],
  ['FragmentSpread', (node) => `...${one(node, 'name')}${directives(node)}`],
  [
    'InlineFragment',
    (node) => `...${one(node, 'typeCondition', ' on ')}${directives(node)}${one(node, 'selectionSet')}`,
  ],
  ['Directive', (node) => `@${one(node, 'name')}${all(node, 'arguments', ['(', ', ', ')'])}`],
  ['Argument', (node) => `${one(node, 'name')}: ${one(node, 'value')}`],
  ['ObjectField', (node) => `${one(node, 'name')}: ${one(node, 'value')}`],
  ['ObjectValue', (node) => all(node, 'fields', ['{ ', ', ', ' }']) || '{}'],
  ['ListValue', (node) => `[${all(node, 'values', ['', ', ', ''])}]`],
  // Every escape of JSON is one of GraphQL; a block string is written as an ordinary one.
  ['StringValue', (node) => JSON.stringify(token(node))],
  ['BooleanValue', (node) => String(node['value'] === true)],
  ['NullValue', () => 'null'],
  ['Variable', (node) => `$${one(node, 'name')}`],
  ['NamedType', (node) => one(node, 'name')],
  ['ListType', (node) => `[${one(node, 'type')}]`],
  ['NonNullType', (node) => `${one(node, 'type')}!`],
  ...['Name', 'IntValue', 'FloatValue', 'EnumValue'].map((kind) => [kind, token] as const),
]);

function print(node: Node): string {
  return (PRINTERS.get(node['kind']) ?? (() => refuse(`a node of kind ${String(node['kind'])}`)))(node);
}

/** The text to send. Throws TypeError for what is no executable document. */
export function documentText(document: unknown): string {
  if (typeof document === 'string') return document;
  if (document instanceof String) return document.toString();
  const node = toNode(document);
  return node['kind'] === 'Document' ? print(node) : refuse(`a node of kind ${String(node['kind'])}`);
}
