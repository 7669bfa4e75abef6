/**
 * What a document asks for below one field. It is read once, before anything is fetched: which
 * operations of the catalogue the selected fields need, so that a caller who may not run one of them
 * gets one error in place of half an answer, and how much of a person or an organization is wanted.
 *
 * Fragments are followed by the concrete type in hand; what `@skip` and `@include` leave out counts
 * for nothing. Documents are small here: their breadth has been limited before any resolver runs.
 */
import {
  type FieldNode,
  type GraphQLField,
  GraphQLIncludeDirective,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  GraphQLSkipDirective,
  getDirectiveValues,
  getNamedType,
  isAbstractType,
  isObjectType,
  Kind,
  type SelectionNode,
} from 'graphql';
import { operationOf } from '../../src/service/index.ts';

type Info = Pick<GraphQLResolveInfo, 'schema' | 'fragments' | 'variableValues'>;
type Operation = NonNullable<ReturnType<typeof operationOf>>;

/** One field of a selection, with all that is selected below it wherever the document repeats it. */
export interface SelectedField {
  readonly parent: GraphQLObjectType;
  readonly field: GraphQLField<unknown, unknown>;
  readonly nodes: readonly FieldNode[];
}

interface KnownFields {
  readonly nodes: readonly FieldNode[];
  readonly variableValues: Info['variableValues'];
  readonly typeName: string;
  readonly fields: readonly SelectedField[];
}

/** By the first node of a field, of the document of one request: a list asks the same for each of its objects. */
const known = new WeakMap<FieldNode, KnownFields>();

/** The fields selected below the resolved field itself, on the object type called `typeName`. */
export function fieldsBelow(info: GraphQLResolveInfo, typeName: string): readonly SelectedField[] {
  const { fieldNodes, variableValues } = info;
  const [first] = fieldNodes;
  const last = first === undefined ? undefined : known.get(first);
  if (
    last?.typeName === typeName &&
    last.variableValues === variableValues &&
    last.nodes.length === fieldNodes.length &&
    last.nodes.every((node, at) => node === fieldNodes[at])
  ) {
    return last.fields;
  }
  const fields = fieldsOf(info, fieldNodes, objectTypeOf(info, typeName));
  if (first !== undefined) known.set(first, { nodes: fieldNodes, variableValues, typeName, fields });
  return fields;
}

/** The fields that `nodes` select of an object of `type`. */
export function fieldsOf(
  info: Info,
  nodes: readonly FieldNode[],
  type: GraphQLObjectType,
): readonly SelectedField[] {
  const found = new Map<string, FieldNode[]>();
  for (const { selectionSet } of nodes) collect(info, selectionSet?.selections ?? [], type, found);
  const fields = type.getFields();
  return [...found].flatMap(([name, below]) => {
    const field = fields[name];
    return field === undefined ? [] : [{ parent: type, field, nodes: below }];
  });
}

/** Of abstract types that can answer fewer types this time than the schema says: which, by name. */
export type Narrowed = Readonly<Record<string, readonly string[]>>;

/** The object types that a field of `type` may answer. */
export function typesOf(
  info: Info,
  type: GraphQLField<unknown, unknown>['type'],
  narrowed: Narrowed = {},
): readonly GraphQLObjectType[] {
  const named: GraphQLNamedType = getNamedType(type);
  if (isObjectType(named)) return [named];
  if (!isAbstractType(named)) return [];
  const possible = info.schema.getPossibleTypes(named);
  const names = Object.hasOwn(narrowed, named.name) ? narrowed[named.name] : undefined;
  return names === undefined ? possible : possible.filter(({ name }) => names.includes(name));
}

/** The operations that the resolved field and everything selected below it need. */
export function operationsOf(info: GraphQLResolveInfo, narrowed: Narrowed = {}): readonly Operation[] {
  const own = info.parentType.getFields()[info.fieldName];
  const operation = own === undefined ? null : operationOf(own);
  const needed = new Set<Operation>(operation === null ? [] : [operation]);
  gather(info, info.fieldNodes, typesOf(info, info.returnType, narrowed));

  function gather(within: Info, nodes: readonly FieldNode[], types: readonly GraphQLObjectType[]): void {
    for (const { field, nodes: below } of types.flatMap((type) => fieldsOf(within, nodes, type))) {
      const mark = operationOf(field);
      if (mark !== null) needed.add(mark);
      gather(within, below, typesOf(within, field.type, narrowed));
    }
  }
  return [...needed];
}

function collect(
  info: Info,
  selections: readonly SelectionNode[],
  type: GraphQLObjectType,
  found: Map<string, FieldNode[]>,
): void {
  for (const selection of selections) {
    if (!isIncluded(info, selection)) continue;
    if (selection.kind === Kind.FIELD) {
      const nodes = found.get(selection.name.value);
      if (nodes === undefined) found.set(selection.name.value, [selection]);
      else nodes.push(selection);
      continue;
    }
    const fragment =
      selection.kind === Kind.INLINE_FRAGMENT ? selection : info.fragments[selection.name.value];
    if (fragment !== undefined && applies(info, fragment.typeCondition?.name.value, type)) {
      collect(info, fragment.selectionSet.selections, type, found);
    }
  }
}

function applies({ schema }: Info, condition: string | undefined, type: GraphQLObjectType): boolean {
  if (condition === undefined || condition === type.name) return true;
  const conditional = schema.getType(condition);
  return isAbstractType(conditional) && schema.isSubType(conditional, type);
}

function isIncluded({ variableValues }: Info, node: SelectionNode): boolean {
  if (getDirectiveValues(GraphQLSkipDirective, node, variableValues)?.['if'] === true) return false;
  return getDirectiveValues(GraphQLIncludeDirective, node, variableValues)?.['if'] !== false;
}

function objectTypeOf({ schema }: Info, name: string): GraphQLObjectType {
  const type = schema.getType(name);
  if (!isObjectType(type)) throw new TypeError(`"name" must be an object type of the schema, got ${name}`);
  return type;
}
