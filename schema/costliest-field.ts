/**
 * Which part of a document makes it cost so much, told to those whose document is refused. It reads the
 * same marks of the fields as the plugin that counts, which tells the sum only.
 */
import { getMappedArgumentValues } from '@pothos/core';
import {
  type FieldNode,
  type GraphQLNamedType,
  type GraphQLResolveInfo,
  getNamedType,
  getNullableType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';

/** How many are counted of a list whose field says nothing else. */
export const DEFAULT_LIST_MULTIPLIER = 10;

/** No field's cost hangs on who asks. */
const NO_CONTEXT = Object.freeze({});

interface Cost {
  readonly field: number;
  readonly multiplier: number;
}

/** One field of a selection, with all below it. */
interface FieldCost {
  readonly name: string;
  readonly cost: number;
  /** How often the document asks for what is below. */
  readonly multiplier: number;
  readonly below: FieldCost | null;
}

/** What a selection costs, and the costliest field in it. */
interface SelectionCost {
  readonly cost: number;
  readonly costliest: FieldCost | null;
}

export interface CostliestField {
  /** By response names, from the root on. */
  readonly path: string;
  readonly cost: number;
}

/**
 * The costliest field of the operation, as deep as one field has most of what is counted above it;
 * `null` for an operation without fields.
 */
export function costliestField(info: GraphQLResolveInfo): CostliestField | null {
  const { schema, operation } = info;
  const root = schema.getRootType(operation.operation);
  if (root == null) return null;
  let found = new Count(info).of(operation.selectionSet, root).costliest;
  if (found === null) return null;
  const names = [found.name];
  let times = 1;
  let { cost } = found;
  for (let { below } = found; below !== null; below = found.below) {
    times *= found.multiplier;
    if (below.cost * times <= cost / 2) break;
    cost = below.cost * times;
    names.push(below.name);
    found = below;
  }
  return { path: names.join('.'), cost };
}

class Count {
  readonly #info: GraphQLResolveInfo;
  /** Fragments are spread in many places, and counted once for each type. */
  readonly #known = new Map<SelectionSetNode, Map<GraphQLNamedType, SelectionCost>>();

  constructor(info: GraphQLResolveInfo) {
    this.#info = info;
  }

  of(selectionSet: SelectionSetNode, type: GraphQLNamedType): SelectionCost {
    const byType = this.#known.get(selectionSet) ?? new Map<GraphQLNamedType, SelectionCost>();
    this.#known.set(selectionSet, byType);
    const known = byType.get(type);
    if (known !== undefined) return known;
    const counted = this.#count(selectionSet, type);
    byType.set(type, counted);
    return counted;
  }

  #count({ selections }: SelectionSetNode, type: GraphQLNamedType): SelectionCost {
    let cost = 0;
    let costliest: FieldCost | null = null;
    for (const selection of selections) {
      const part =
        selection.kind === Kind.FIELD ? this.#field(selection, type) : this.#fragment(selection, type);
      cost += part.cost;
      if (part.costliest !== null && part.costliest.cost > (costliest?.cost ?? 0)) {
        ({ costliest } = part);
      }
    }
    return { cost, costliest };
  }

  #field(node: FieldNode, type: GraphQLNamedType): SelectionCost {
    const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[node.name.value] : undefined;
    if (field === undefined) return { cost: 1, costliest: null };
    const mark: unknown = field.extensions['complexity'];
    const isList = isListType(getNullableType(field.type));
    const { field: own, multiplier } = costOf(
      typeof mark === 'function'
        ? mark(getMappedArgumentValues(field, node, NO_CONTEXT, this.#info), NO_CONTEXT, field)
        : mark,
      isList ? DEFAULT_LIST_MULTIPLIER : 1,
    );
    const below =
      node.selectionSet === undefined ? null : this.of(node.selectionSet, getNamedType(field.type));
    const cost = own + (below?.cost ?? 0) * multiplier;
    const name = node.alias?.value ?? node.name.value;
    return { cost, costliest: { name, cost, multiplier, below: below?.costliest ?? null } };
  }

  #fragment(
    selection: Exclude<SelectionSetNode['selections'][number], FieldNode>,
    type: GraphQLNamedType,
  ): SelectionCost {
    const { schema, fragments } = this.#info;
    const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments[selection.name.value];
    if (fragment === undefined) return { cost: 0, costliest: null };
    const condition = fragment.typeCondition;
    const narrowed = condition === undefined ? type : schema.getType(condition.name.value);
    if (!isCompositeType(narrowed)) return { cost: 0, costliest: null };
    return this.of(fragment.selectionSet, narrowed);
  }
}

function costOf(mark: unknown, usual: number): Cost {
  if (typeof mark === 'number') return { field: mark, multiplier: usual };
  const { field, multiplier } = (mark ?? {}) as Partial<Cost>;
  return { field: field ?? 1, multiplier: multiplier ?? usual };
}
