/**
 * The judge of documents: whether an operation asks for anything of Zendesk, told from the document and
 * the marks of the schema alone, before anything runs. It errs on one side: what `@skip` or `@include`
 * may leave out counts, and so does a fragment that could match a protected type, matched or not.
 *
 * It does not know what an id stands for: `id` and `__typename` of interface `Node` do not count, since
 * most nodes are ours, and whoever loads one of Zendesk asks the session, which refuses by itself.
 */
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getOperationAST,
  type InlineFragmentNode,
  isAbstractType,
  isCompositeType,
  Kind,
  type SelectionSetNode,
  typeFromAST,
} from 'graphql';
import { isProtected, operationOf } from '../../service/index.ts';

const NODE = 'Node';

/**
 * Whether the chosen operation selects a field whose type is protected or which needs an operation of the
 * catalogue, or has a fragment on a type that is or could be protected. `document` is valid in `schema`;
 * of one without such an operation nothing is selected.
 */
export function selectsProtected(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null,
): boolean {
  const operation = getOperationAST(document, operationName);
  const root = operation == null ? undefined : schema.getRootType(operation.operation);
  if (operation == null || root == null) return false;
  return new Judge(schema, document).selects(operation.selectionSet, root);
}

class Judge {
  readonly #schema: GraphQLSchema;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** What a fragment selects does not hang on where it is spread, so each is read once. */
  readonly #read = new Set<string>();

  constructor(schema: GraphQLSchema, { definitions }: DocumentNode) {
    this.#schema = schema;
    this.#fragments = new Map(
      definitions.flatMap((definition) =>
        definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition]] : [],
      ),
    );
  }

  selects({ selections }: SelectionSetNode, parent: GraphQLNamedType): boolean {
    return selections.some((selection) => {
      switch (selection.kind) {
        case Kind.FIELD: {
          const field = isCompositeType(parent)
            ? this.#schema.getField(parent, selection.name.value)
            : undefined;
          if (field === undefined) return false;
          const type = getNamedType(field.type);
          if (operationOf(field) !== null || this.#couldBeProtected(type)) return true;
          return selection.selectionSet !== undefined && this.selects(selection.selectionSet, type);
        }
        case Kind.INLINE_FRAGMENT:
          return this.#matches(selection, parent);
        case Kind.FRAGMENT_SPREAD: {
          const name = selection.name.value;
          const fragment = this.#fragments.get(name);
          if (fragment === undefined || this.#read.has(name)) return false;
          this.#read.add(name);
          return this.#matches(fragment, parent);
        }
        default:
          return selection satisfies never;
      }
    });
  }

  #matches(
    { typeCondition, selectionSet }: InlineFragmentNode | FragmentDefinitionNode,
    parent: GraphQLNamedType,
  ): boolean {
    const type = typeCondition === undefined ? parent : typeFromAST(this.#schema, typeCondition);
    return type !== undefined && (this.#couldBeProtected(type) || this.selects(selectionSet, type));
  }

  #couldBeProtected(type: GraphQLNamedType): boolean {
    if (isProtected(type)) return true;
    return (
      isAbstractType(type) && type.name !== NODE && this.#schema.getPossibleTypes(type).some(isProtected)
    );
  }
}
