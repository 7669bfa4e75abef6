import { type ExecutionArgs, getOperationAST } from 'graphql';
import { costOf, type DocumentCost } from '../../service/index.ts';

/** What the operation that is about to be executed costs; its document is valid and its variables are right. */
export function documentCost({
  schema,
  document,
  operationName,
  variableValues,
}: Pick<ExecutionArgs, 'schema' | 'document' | 'operationName' | 'variableValues'>): DocumentCost | null {
  const operation = getOperationAST(document, operationName);
  if (operation == null) return null;
  return costOf({ schema, document, operation, variables: variableValues ?? {} });
}
