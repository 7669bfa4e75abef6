/**
 * Following a reference to a person or an organization. Whoever selects an id alone costs Zendesk no
 * call; name and photo come with the ticket where they can; everything else loads the whole record,
 * together with all others that the document asks for.
 */
import type { FieldNode, GraphQLResolveInfo } from 'graphql';
import { type GraphAccount, operationOf } from '../../src/service/index.ts';
import type { OrganizationObject, UserObject } from './objects.ts';
import { fieldsBelow, fieldsOf, type SelectedField, typesOf } from './selection.ts';

/** How much of an object a selection shows. */
export type Extent = 'ID' | 'REFERENCE' | 'FULL';

const FULL_MARKS: Readonly<Record<string, string>> = {
  User: 'list_users',
  Organization: 'list_organizations',
};
const REFERENCE_FIELDS: ReadonlySet<string> = new Set(['name', 'photo']);
/** What of a ticket leads to people and organizations at once. */
const TICKET_REFERENCES: ReadonlySet<string> = new Set([
  'requester',
  'submitter',
  'assignee',
  'collaborators',
  'followers',
  'emailCcs',
  'organization',
]);

export function extentOf(selected: readonly SelectedField[]): Extent {
  let extent: Extent = 'ID';
  for (const { parent, field } of selected) {
    const operation = operationOf(field);
    // Lists that begin at an object need other operations, and nothing of the object but its id.
    if (operation !== null && operation === FULL_MARKS[parent.name]) return 'FULL';
    if (REFERENCE_FIELDS.has(field.name)) extent = 'REFERENCE';
  }
  return extent;
}

/** By the one node that selects a reference, since it is followed for every ticket of a list. */
const extents = new WeakMap<FieldNode, WeakMap<object, Extent>>();

/** The extent of what the resolved field selects of an object of `typeName`. */
function extentBelow(info: GraphQLResolveInfo, typeName: string): Extent {
  const [node, ...others] = info.fieldNodes;
  // Where fragments repeat the field, the same node may stand in several selections.
  if (node === undefined || others.length > 0) return extentOf(fieldsBelow(info, typeName));
  const known = extents.get(node) ?? new WeakMap<object, Extent>();
  extents.set(node, known);
  const extent = known.get(info.variableValues) ?? extentOf(fieldsBelow(info, typeName));
  known.set(info.variableValues, extent);
  return extent;
}

/** A person whom something refers to; `null` without a reference, or where Zendesk does not show the person. */
export async function referredUser(
  account: GraphAccount,
  id: number | null,
  info: GraphQLResolveInfo,
): Promise<UserObject | null> {
  if (id === null) return null;
  switch (extentBelow(info, 'User')) {
    case 'ID':
      return { account, id, name: null, photo: null, full: null };
    case 'REFERENCE': {
      const person = await account.person(id);
      return person === null ? null : { account, id, name: person.name, photo: person.photo, full: null };
    }
    default: {
      const user = await account.user(id);
      return user === null ? null : { account, id, name: user.name, photo: user.photo, full: user };
    }
  }
}

export async function referredOrganization(
  account: GraphAccount,
  id: number | null,
  info: GraphQLResolveInfo,
): Promise<OrganizationObject | null> {
  if (id === null) return null;
  switch (extentBelow(info, 'Organization')) {
    case 'ID':
      return { account, id, name: null, full: null };
    case 'REFERENCE': {
      const reference = await account.organizationReference(id);
      return reference === null ? null : { account, id, name: reference.name, full: null };
    }
    default: {
      const organization = await account.organization(id);
      return organization === null ? null : { account, id, name: organization.name, full: organization };
    }
  }
}

/**
 * Whether the tickets of a list are best asked for with their people and organizations: where more of
 * them is wanted than ids. Names then cost no call of their own, and nothing does where Zendesk sends
 * whole objects along.
 */
export function wantsSideLoad(info: GraphQLResolveInfo): boolean {
  const extents: Readonly<Record<string, Set<Extent>>> = { User: new Set(), Organization: new Set() };
  for (const { parent, field, nodes } of nodesBelow(info)) {
    if (parent.name !== 'Ticket' || !TICKET_REFERENCES.has(field.name)) continue;
    for (const type of typesOf(info, field.type)) {
      extents[type.name]?.add(extentOf(fieldsOf(info, nodes, type)));
    }
  }
  return Object.values(extents).some((of) => of.has('REFERENCE') || of.has('FULL'));
}

/** What a connection selects of its objects, by `nodes` and by `edges`. */
function nodesBelow(info: GraphQLResolveInfo): readonly SelectedField[] {
  const below = ({ field, nodes }: SelectedField) =>
    typesOf(info, field.type).flatMap((type) => fieldsOf(info, nodes, type));
  const connection = typesOf(info, info.returnType).flatMap((type) => fieldsOf(info, info.fieldNodes, type));
  const edges = connection.filter(({ field }) => field.name === 'edges').flatMap(below);
  return [
    ...connection.filter(({ field }) => field.name === 'nodes'),
    ...edges.filter(({ field }) => field.name === 'node'),
  ].flatMap(below);
}
