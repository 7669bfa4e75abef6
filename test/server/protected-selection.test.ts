/** The judge of documents, on a small schema with every kind of type that could hide another. */
import fc from 'fast-check';
import {
  buildSchema,
  doTypesOverlap,
  execute,
  type GraphQLCompositeType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isListType,
  isNonNullType,
  isObjectType,
  parse,
  validate,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { selectsProtected } from '../../src/server/graphql/protected-selection.ts';
import { isProtected, needsOperation, operationOf, PROTECTED } from '../../src/service/index.ts';

const schema: GraphQLSchema = buildSchema(`
  interface Node { id: ID! }
  interface Named { name: String }
  type Query {
    node: Node
    nodes: [Node]!
    viewer: Viewer!
    integration: Integration!
    hit: Hit
    mixed: Mixed
    named: Named
  }
  type Mutation { rename: Viewer createTicket: CreateTicketPayload }
  type Viewer implements Node & Named { id: ID! name: String integration: Integration! mood: Mood peers: [Viewer!]! }
  type Integration implements Node { id: ID! title: String tickets: [TicketConnection!] ticketCount: Int any: [Node!]! }
  type TicketConnection { nodes: [Ticket!]! owner: Viewer }
  type CreateTicketPayload { ticket: Ticket }
  type Ticket implements Node { id: ID! subject: String requester: Person viewer: Viewer node: Node }
  type Person implements Named { name: String }
  union Hit = Ticket | Person
  union Mixed = Ticket | Viewer
  enum Mood { GOOD BAD }
`);
for (const name of ['Ticket', 'Person', 'TicketConnection', 'CreateTicketPayload', 'Mood']) {
  const type = schema.getType(name);
  if (type !== undefined) type.extensions = PROTECTED;
}
const integration = schema.getType('Integration');
const counted = isObjectType(integration) ? integration.getFields()['ticketCount'] : undefined;
if (counted !== undefined) counted.extensions = needsOperation('search');

const judge = (document: string, operationName: string | null = null): boolean =>
  selectsProtected(schema, parse(document), operationName);

describe('a document asks for what leaves sealed', () => {
  it.each([
    ['a field whose type is protected', '{ integration { tickets { owner { id } } } }'],
    ['its name alone', '{ integration { tickets { __typename } } }'],
    ['a payload that is protected', 'mutation { createTicket { __typename } }'],
    ['a protected leaf', '{ viewer { mood } }'],
    ['a field that needs an operation of the catalogue', '{ integration { ticketCount } }'],
    ['a union of protected types', '{ hit { __typename } }'],
    ['a union with one of them', '{ mixed { __typename } }'],
    ['an interface with one of them', '{ named { name } }'],
    ['a fragment on a protected type', '{ node { ... on Ticket { id } } }'],
    ['a fragment on a union of them', '{ node { ... on Hit { ... on Node { id } } } }'],
    ['a fragment on an interface with one of them', '{ node { ... on Named { name } } }'],
    ['a fragment within a fragment on Node', '{ node { ... on Node { ... on Ticket { __typename } } } }'],
    ['a list of nodes', '{ nodes { ... on Ticket { subject } } }'],
    ['a fragment without a condition', '{ integration { ... { tickets { __typename } } } }'],
    [
      'fragments that lead there',
      '{ ...a } fragment a on Query { ...b } fragment b on Query { integration { ...c } } fragment c on Integration { tickets { __typename } }',
    ],
    [
      'a second use of a fragment',
      '{ viewer { ...v } node { ...v ...t } } fragment v on Node { id } fragment t on Ticket { id }',
    ],
    ['what is skipped', '{ node { ... on Ticket @skip(if: true) { subject } } }'],
    [
      'what is not included',
      'query ($no: Boolean!) { integration { tickets @include(if: $no) { __typename } } }',
    ],
    ['an alias', '{ id: integration { name: tickets { id: __typename } } }'],
  ])('by %s', (_what, document) => {
    expect(validate(schema, parse(document))).toEqual([]);
    expect(judge(document)).toBe(true);
  });

  it.each([
    ['fields of ours', '{ viewer { id name integration { id title any { id __typename } } } }'],
    ['ids of nodes', '{ node { id __typename } nodes { ... on Node { id } ... { __typename } } }'],
    [
      'fragments on types of ours',
      '{ node { ... on Viewer { name peers { name } } ...i } } fragment i on Integration { title }',
    ],
    ['the schema', '{ __schema { types { name fields { name } } } __type(name: "Ticket") { name } }'],
    ['a change of ours', 'mutation { rename { name } }'],
  ])('not by %s', (_what, document) => {
    expect(validate(schema, parse(document))).toEqual([]);
    expect(judge(document)).toBe(false);
  });

  it('by the operation that is chosen, and by no other', () => {
    const document = 'query ours { viewer { id } } query theirs { hit { __typename } }';
    expect(judge(document, 'ours')).toBe(false);
    expect(judge(document, 'theirs')).toBe(true);
    expect(judge(document, null)).toBe(false);
    expect(judge(document, 'neither')).toBe(false);
    expect(judge('query ours { viewer { id } } fragment f on Hit { __typename }', 'ours')).toBe(false);
  });

  it('told in time that grows with the document, however its fragments are nested', () => {
    const levels = 600;
    const fragments = Array.from(
      { length: levels },
      (_, at) => `fragment f${at} on Query { ...f${at + 1} ...f${at + 1} }`,
    );
    expect(judge(`{ ...f0 } ${fragments.join(' ')} fragment f${levels} on Query { viewer { id } }`)).toBe(
      false,
    );
    expect(
      judge(`{ ...f0 } ${fragments.join(' ')} fragment f${levels} on Query { hit { __typename } }`),
    ).toBe(true);
    expect(judge('{ ...f } fragment f on Query { ...f }')).toBe(false);
  });
});

const COMPOSITES = Object.values(schema.getTypeMap()).filter(
  (type): type is GraphQLCompositeType => isCompositeType(type) && !type.name.startsWith('__'),
);
const DEPTH = 4;

/** Draws numbers below a bound. */
type Draw = (bound: number) => number;

/** Random documents of the schema: fields, inline fragments, and spreads of fragments that come later. */
const documents = fc.infiniteStream(fc.nat({ max: 9_999 })).map((stream) => {
  const draw: Draw = (bound) => (stream.next().value ?? 0) % bound;
  let aliases = 0;
  const conditions = Array.from({ length: 4 }, () => COMPOSITES[draw(COMPOSITES.length)]);

  function selections(parent: GraphQLCompositeType, depth: number, from: number): string {
    const parts = Array.from({ length: 1 + draw(3) }, () => selection(parent, depth, from));
    return `{ ${parts.join(' ')} }`;
  }

  function selection(parent: GraphQLCompositeType, depth: number, from: number): string {
    const kind = draw(6);
    if (kind === 0 && depth > 0) {
      const fitting = COMPOSITES.filter((type) => doTypesOverlap(schema, parent, type));
      const on = fitting[draw(fitting.length)];
      if (on !== undefined) return `... on ${on.name} ${selections(on, depth - 1, from)}`;
    }
    if (kind === 1) {
      const at = from + draw(conditions.length);
      const on = conditions[at];
      if (on !== undefined && doTypesOverlap(schema, parent, on)) return `...f${at}`;
    }
    const fields = 'getFields' in parent ? Object.values(parent.getFields()) : [];
    const field = fields[draw(fields.length + 1)];
    aliases += 1;
    if (field === undefined) return `a${aliases}: __typename`;
    const type = getNamedType(field.type);
    if (!isCompositeType(type)) return `a${aliases}: ${field.name}`;
    if (depth === 0) return `a${aliases}: __typename`;
    return `a${aliases}: ${field.name} ${selections(type, depth - 1, from)}`;
  }

  const operation = selections(schema.getQueryType() as GraphQLCompositeType, DEPTH, 0);
  const fragments = conditions.map((on, at) =>
    on === undefined ? '' : `fragment f${at} on ${on.name} ${selections(on, 2, at + 1)}`,
  );
  return `${operation} ${fragments.join(' ')}`;
});

/** The protected fields, but ids, that come to be resolved in a world where what may be a ticket or a person is one. */
async function resolvedOf(document: string, choose: (count: number) => number): Promise<readonly string[]> {
  const resolved: string[] = [];
  await execute({
    schema,
    document: parse(document),
    rootValue: {},
    fieldResolver: (_parent, _args, _context, info) => {
      const field = info.parentType.getFields()[info.fieldName];
      const type = getNamedType(info.returnType);
      const shows = isProtected(info.parentType) && info.fieldName !== 'id';
      if (shows || isProtected(type) || (field !== undefined && operationOf(field) !== null)) {
        resolved.push(`${info.parentType.name}.${info.fieldName}`);
      }
      const bare = isNonNullType(info.returnType) ? info.returnType.ofType : info.returnType;
      const value = isCompositeType(type) ? {} : type.name === 'Mood' ? 'GOOD' : '1';
      return isListType(bare) ? [value] : value;
    },
    typeResolver: (_value, _context, info, abstract) => {
      const types = info.schema.getPossibleTypes(abstract);
      return types[choose(types.length)]?.name;
    },
  });
  return resolved;
}

/** Every type that a document names in a field's result or a fragment's condition, read off its text. */
function namesProtected(document: string): boolean {
  const names = new Set([...document.matchAll(/ on (\w+)/g)].map((match) => match[1]));
  const fields = new Set([...document.matchAll(/a\d+: (\w+)/g)].map((match) => match[1]));
  const types = COMPOSITES.filter(
    (type) =>
      names.has(type.name) ||
      COMPOSITES.some(
        (parent) =>
          'getFields' in parent &&
          Object.values(parent.getFields()).some(
            (field) => fields.has(field.name) && getNamedType(field.type).name === type.name,
          ),
      ),
  );
  const leaves = fields.has('mood') || fields.has('ticketCount');
  return (
    leaves ||
    types.some(
      (type) =>
        isProtected(type) ||
        (isAbstractType(type) && type.name !== 'Node' && schema.getPossibleTypes(type).some(isProtected)),
    )
  );
}

describe('a random document', () => {
  it('that is let pass resolves no protected field but ids, whatever its objects turn out to be', async () => {
    const seen = { passed: 0, resolving: 0 };
    await fc.assert(
      fc.asyncProperty(documents, fc.infiniteStream(fc.nat({ max: 9_999 })), async (document, choices) => {
        const passes = !judge(document);
        const resolved = await resolvedOf(document, (count) => (choices.next().value ?? 0) % count);
        seen.passed += Number(passes);
        seen.resolving += Number(resolved.length > 0);
        if (passes) expect(resolved).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
    expect(seen.passed).toBeGreaterThan(100);
    expect(seen.resolving).toBeGreaterThan(100);
  });

  it('that is held back names a type for which it is', () => {
    fc.assert(
      fc.property(documents, (document) => {
        if (judge(document)) expect(namesProtected(document)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});
