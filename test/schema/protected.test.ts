/**
 * The marks of the schema hold together: whatever is of Zendesk stands on a protected type or behind
 * one. A walk over all types proves it, whichever there are; a run of all that the walk finds outside
 * proves that none of it asks Zendesk.
 */
import {
  buildSchema,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isEnumType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  parse,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { schema as sealdesk } from '../../schema/index.ts';
import { selectsProtected } from '../../src/server/graphql/protected-selection.ts';
import { isProtected, needsOperation, operationOf, PROTECTED } from '../../src/service/index.ts';
import { codeOf, useHouse, zendeskCalls } from '../service/house.ts';
import { describeOnBothDatabases } from '../support/store.ts';

type Field = GraphQLField<unknown, unknown>;

function objectsOf(schema: GraphQLSchema, type: GraphQLNamedType): readonly GraphQLObjectType[] {
  if (isObjectType(type)) return [type];
  return isAbstractType(type) ? schema.getPossibleTypes(type) : [];
}

function rootsOf(schema: GraphQLSchema): readonly GraphQLObjectType[] {
  return [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].filter(
    (type) => type != null,
  );
}

/** The object types that can be reached from the roots without passing through a protected one. */
function unprotectedTypes(schema: GraphQLSchema): ReadonlySet<GraphQLObjectType> {
  const found = new Set<GraphQLObjectType>();
  const visit = (type: GraphQLObjectType): void => {
    if (found.has(type) || isProtected(type)) return;
    found.add(type);
    for (const field of Object.values(type.getFields())) {
      for (const next of objectsOf(schema, getNamedType(field.type))) visit(next);
    }
  };
  for (const root of rootsOf(schema)) visit(root);
  return found;
}

/** What is wrong with the marks of a schema, in words; nothing where they hold. */
function faultsOf(schema: GraphQLSchema): readonly string[] {
  const open = unprotectedTypes(schema);
  const types = Object.values(schema.getTypeMap()).filter(
    (type) => isObjectType(type) && !type.name.startsWith('__'),
  ) as readonly GraphQLObjectType[];
  const faults: string[] = [];
  for (const type of types) {
    if (!isProtected(type) && !open.has(type))
      faults.push(`${type.name} is found behind protected types only`);
    for (const [name, field] of Object.entries(type.getFields())) {
      const answered = getNamedType(field.type);
      const objects = objectsOf(schema, answered);
      const place = `${type.name}.${name}`;
      if (operationOf(field) !== null) {
        for (const object of objects.filter((one) => !isProtected(one))) {
          faults.push(`${place} needs an operation and answers ${object.name}, which is not protected`);
        }
        if (objects.length === 0 && !isProtected(type)) faults.push(`${place} shows a value of Zendesk`);
      }
      if (isLeafType(answered) && isProtected(answered) && !isProtected(type)) {
        faults.push(`${place} shows ${answered.name}, which is protected`);
      }
    }
  }
  const node = schema.getType('Node');
  if (isInterfaceType(node) && Object.keys(node.getFields()).join() !== 'id') {
    faults.push('Node tells more than an id');
  }
  return faults;
}

describe('the marks of the schema', () => {
  it('leave nothing of Zendesk outside the protected types', () => {
    expect(faultsOf(sealdesk)).toEqual([]);
  });

  it('are missed by the walk wherever one is missing', () => {
    const build = () =>
      buildSchema(`
        interface Node { id: ID! extra: Int }
        type Query { node: Node integration: Integration hit: Hit }
        type Integration { count: Int ticket: Ticket loose: Loose mood: Mood }
        type Ticket { parts: [Part!]! integration: Integration }
        type Part { text: String }
        type Loose { text: String }
        union Hit = Ticket | Loose
        enum Mood { GOOD }
      `);
    const marked = (fields: readonly string[], types: readonly string[]): GraphQLSchema => {
      const schema = build();
      for (const name of types) {
        const type = schema.getType(name);
        if (type !== undefined) type.extensions = PROTECTED;
      }
      for (const place of fields) {
        const [type = '', name = ''] = place.split('.');
        const parent = schema.getType(type);
        const field = isObjectType(parent) ? parent.getFields()[name] : undefined;
        if (field !== undefined) field.extensions = needsOperation('search');
      }
      return schema;
    };
    expect(faultsOf(marked([], []))).toEqual(['Node tells more than an id']);
    expect(faultsOf(marked(['Integration.ticket', 'Integration.count'], ['Ticket']))).toEqual([
      'Integration.count shows a value of Zendesk',
      'Part is found behind protected types only',
      'Node tells more than an id',
    ]);
    expect(faultsOf(marked(['Query.hit', 'Integration.loose'], ['Ticket', 'Part', 'Mood']))).toEqual([
      'Query.hit needs an operation and answers Loose, which is not protected',
      'Integration.loose needs an operation and answers Loose, which is not protected',
      'Integration.mood shows Mood, which is protected',
      'Node tells more than an id',
    ]);
  });
});

/** The values of required arguments; those of the own objects are tried one after the other. */
interface Ids {
  readonly integrationId: string;
  readonly id: string;
}

const PAGE_SIZE = 1;

function argumentOf({ name, type }: GraphQLArgument, ids: Ids): string {
  const bare = isNonNullType(type) ? type.ofType : type;
  if (isListType(bare)) return `[${argumentOf({ name, type: bare.ofType } as GraphQLArgument, ids)}]`;
  const named = getNamedType(type);
  if (isEnumType(named)) return named.getValues()[0]?.name ?? '';
  if (named.name === 'ID') return JSON.stringify(name === 'integrationId' ? ids.integrationId : ids.id);
  if (named.name === 'String') return '"get_ticket"';
  return '1';
}

function call(name: string, { args }: Field, ids: Ids): string {
  const given = args.flatMap((arg) => {
    if (arg.name === 'first') return [`first: ${PAGE_SIZE}`];
    return isRequiredArgument(arg) ? [`${arg.name}: ${argumentOf(arg, ids)}`] : [];
  });
  return given.length === 0 ? name : `${name}(${given.join(', ')})`;
}

/** Every field below `type` that is not of a protected type; each type once on the way down. */
function selectionOf(
  schema: GraphQLSchema,
  type: GraphQLNamedType,
  ids: Ids,
  above: readonly string[],
): string {
  const objects = objectsOf(schema, type).filter((object) => !isProtected(object));
  const parts = objects.flatMap((object) => {
    if (above.includes(object.name)) return [];
    const fields = Object.entries(object.getFields()).flatMap(([name, field]) => {
      const next = getNamedType(field.type);
      if (operationOf(field) !== null || isProtected(next)) return [];
      const own = call(name, field, ids);
      // Several object types under one field may have a field of one name and another type.
      const label = isObjectType(type) ? '' : `${object.name}_`;
      if (isLeafType(next)) return [`${label}${name}: ${own}`];
      const below = selectionOf(schema, next, ids, [...above, object.name]);
      return below === '' ? [] : [`${label}${name}: ${own} ${below}`];
    });
    const selected = ['__typename', ...fields].join(' ');
    return [isObjectType(type) ? selected : `... on ${object.name} { ${selected} }`];
  });
  return parts.length === 0 ? '' : `{ ${parts.join(' ')} }`;
}

describeOnBothDatabases('all that is not protected', (database) => {
  const house = useHouse(database);

  it('is answered in the clear, whoever asks, and Zendesk never hears of it', async () => {
    const { gateway, tenant } = house();
    const { admin, agent, dashboard, auditor } = tenant.keys;
    const { integrationId, credentialId, keyFile } = tenant;
    const viewer = await gateway.graphql('{ viewer { apiKey { id } } }', { apiKey: admin });
    const own = [tenant.id, integrationId, credentialId, keyFile.key_id, viewer.json.data.viewer.apiKey.id];
    const before = zendeskCalls(gateway);
    const answered = new Set<string>();
    const asked = new Set<string>();
    for (const [name, field] of Object.entries(sealdesk.getQueryType()?.getFields() ?? {})) {
      const type = getNamedType(field.type);
      if (operationOf(field) !== null || isProtected(type)) continue;
      for (const id of own) {
        const ids = { integrationId, id };
        const document = `{ ${call(name, field, ids)} ${isLeafType(type) ? '' : selectionOf(sealdesk, type, ids, [])} }`;
        // The same for every id where none is taken.
        if (asked.has(document)) continue;
        asked.add(document);
        expect(selectsProtected(sealdesk, parse(document), null), document).toBe(false);
        for (const apiKey of [admin, agent, dashboard, auditor]) {
          const answer = await gateway.graphql(document, { apiKey });
          if (codeOf(answer) === null) answered.add(name);
          expect(['FORBIDDEN', 'NOT_FOUND', null], `${document} ${JSON.stringify(answer.json)}`).toContain(
            codeOf(answer),
          );
        }
      }
    }
    expect([...answered].toSorted()).toEqual(
      expect.arrayContaining(['integration', 'integrations', 'node', 'nodes', 'tenant', 'viewer']),
    );
    expect(zendeskCalls(gateway)).toBe(before);
  });

  it('tells of an object of Zendesk by its id only where it is sealed, and does not look whether there is one', async () => {
    const { gateway, tenant } = house();
    const before = zendeskCalls(gateway);
    for (const kind of ['ticket:1', 'ticket:99999999', 'user:1', 'organization:1', 'comment:1.1']) {
      for (const document of ['{ node(id: $id) { id } }', '{ nodes(ids: [$id]) { __typename } }']) {
        const answer = await gateway.graphql(`query ($id: ID!) ${document}`, {
          apiKey: tenant.keys.agent,
          variables: { id: `${tenant.integrationId}:${kind}` },
        });
        expect(codeOf(answer), kind).toMatch(/^(SEALED_RESPONSE_REQUIRED|NOT_FOUND)$/);
        expect(Object.values(answer.json.data ?? {}).flat(), kind).toEqual(answer.json.data ? [null] : []);
      }
    }
    expect(zendeskCalls(gateway)).toBe(before);
  });
});
