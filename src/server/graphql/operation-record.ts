/** What the audit log tells of a GraphQL operation: its kind and root fields, names of the schema only. */
import {
  type DocumentNode,
  type GraphQLError,
  getOperationAST,
  Kind,
  OperationTypeNode,
  type SelectionSetNode,
} from 'graphql';
import { isErrorCode } from '../../base/index.ts';
import type { OperationSummary } from '../../service/index.ts';

const MAX_FIELDS = 8;

export type OperationRecord = { -readonly [Member in keyof OperationSummary]: OperationSummary[Member] };

/** The record of an operation of which nothing is known but that it was refused. */
export function createOperationRecord(): OperationRecord {
  return { kind: 'document', fields: [], failure: null };
}

/** Takes down a document that was found valid, so that its field names are names of the schema. */
export function noteDocument(
  record: OperationRecord,
  document: DocumentNode,
  operationName: string | null,
): void {
  const operation = getOperationAST(document, operationName);
  if (operation == null) return;
  record.kind = operation.operation === OperationTypeNode.MUTATION ? 'mutation' : 'query';
  record.fields = [...rootFields(document, operation.selectionSet)].slice(0, MAX_FIELDS);
}

/** The names of the fields at the root, those in fragments too; each fragment is looked into once. */
function rootFields(document: DocumentNode, root: SelectionSetNode): ReadonlySet<string> {
  const fragments = new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node.selectionSet] as const] : [],
    ),
  );
  const names = new Set<string>();
  const waiting = [root];
  for (let set = waiting.pop(); set !== undefined; set = waiting.pop()) {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) names.add(selection.name.value);
      else if (selection.kind === Kind.INLINE_FRAGMENT) waiting.push(selection.selectionSet);
      else {
        const spread = fragments.get(selection.name.value);
        fragments.delete(selection.name.value);
        if (spread !== undefined) waiting.push(spread);
      }
    }
  }
  return names;
}

/** Takes down how the operation failed: by its first error, whose code is one of ours. */
export function noteFailure(record: OperationRecord, error: GraphQLError | undefined): void {
  const code = error?.extensions['code'];
  if (!isErrorCode(code)) return;
  const upstreamStatus = error?.extensions['upstreamStatus'];
  record.failure = { code, ...(typeof upstreamStatus === 'number' ? { upstreamStatus } : {}) };
}
