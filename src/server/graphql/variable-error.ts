/** Variables, looked at before anything is executed, so that all that is wrong is told at once and by field. */
import {
  type DocumentNode,
  type GraphQLError,
  getOperationAST,
  isInputType,
  isNonNullType,
  typeFromAST,
  type VariableDefinitionNode,
  validateInputValue,
} from 'graphql';
import type { FieldIssue } from '../../base/index.ts';
import { invalidInput } from '../../service/index.ts';
import { variablePath } from './input-path.ts';
import { publicGraphqlError } from './mask-error.ts';
import { inputIssueOf, type Telling } from './without-values.ts';

/** Most issues told of one request: each is put by printing the value at fault. */
const MAX_ISSUES = 10;
const ENOUGH = new RangeError('No more issues are told of one request');

/** VALIDATION_FAILED with the fields at fault, at the definitions of their variables; `null` where all are right. */
export function variableError(
  document: DocumentNode,
  operationName: string | null,
  variables: Readonly<Record<string, unknown>>,
  telling: Telling,
): GraphQLError | null {
  const definitions = getOperationAST(document, operationName)?.variableDefinitions ?? [];
  const issues: FieldIssue[] = [];
  const nodes = new Set<VariableDefinitionNode>();
  const note = (node: VariableDefinitionNode, below: readonly (string | number)[], message: string): void => {
    const path = [...variablePath(document, node.variable.name.value), ...below].join('.');
    issues.push({ path, message });
    nodes.add(node);
    if (issues.length === MAX_ISSUES) throw ENOUGH;
  };
  try {
    for (const node of definitions) noteIssues(node, variables, telling, (...found) => note(node, ...found));
  } catch (error) {
    if (error !== ENOUGH) throw error;
  }
  return issues.length === 0 ? null : publicGraphqlError(invalidInput(issues), { nodes: [...nodes] });
}

function noteIssues(
  { variable, type: typeNode, defaultValue }: VariableDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
  telling: Telling,
  note: (below: readonly (string | number)[], message: string) => void,
): void {
  const type = typeFromAST(telling.schema, typeNode);
  if (!isInputType(type)) return;
  const name = variable.name.value;
  if (!Object.hasOwn(variables, name)) {
    if (isNonNullType(type) && defaultValue === undefined) note([], 'is missing');
    return;
  }
  validateInputValue(
    variables[name],
    type,
    (error, path) => {
      const issue = inputIssueOf(error.message, telling);
      const member = issue?.member ?? null;
      note(member === null ? path : [...path, member], issue?.message ?? 'is not accepted');
    },
    !telling.suggests,
  );
}
