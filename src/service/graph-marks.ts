/**
 * What the schema says of its own types and fields, in their GraphQL `extensions`: which types show
 * something of Zendesk and so leave sealed or not at all, and which operation of the catalogue a field
 * needs. The schema marks, the server judges documents by the marks.
 */
import type { DocumentNode, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import { isOperationName, type OperationName } from '../proxy/index.ts';

const KEY = 'sealdesk';

type Extensions = Readonly<Record<string | symbol, unknown>>;

/** For the `extensions` of a type whose fields show something of Zendesk: a text, a number, a name. */
export const PROTECTED: Extensions = Object.freeze({ [KEY]: Object.freeze({ protected: true }) });

/** For the `extensions` of a field that needs `operation` on the integration that its object belongs to. */
export function needsOperation(operation: OperationName): Extensions {
  return Object.freeze({ [KEY]: Object.freeze({ operation }) });
}

/** For the `extensions` of a value of an enum that no input takes. */
export const ANSWERED_ONLY: Extensions = Object.freeze({ [KEY]: Object.freeze({ answeredOnly: true }) });

/** Whether a value of an enum is marked {@link ANSWERED_ONLY}. */
export function isAnsweredOnly(marked: { readonly extensions: Extensions }): boolean {
  return markOf(marked, 'answeredOnly') === true;
}

/** What a document costs, and how much it may. */
export interface DocumentCost {
  readonly used: number;
  readonly limit: number;
}

export type MeasureDocument = (request: {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: Readonly<Record<string, unknown>>;
}) => DocumentCost;

/** For the `extensions` of a schema whose documents `measure` tells the cost of. */
export function measuredBy(measure: MeasureDocument): Extensions {
  return Object.freeze({ [KEY]: Object.freeze({ measure }) });
}

/** What one operation costs by its schema's own measure; `null` where that has none. */
export function costOf(request: Parameters<MeasureDocument>[0]): DocumentCost | null {
  const measure = markOf(request.schema, 'measure');
  return typeof measure === 'function' ? (measure as MeasureDocument)(request) : null;
}

/** Whether a type is marked {@link PROTECTED}. */
export function isProtected(marked: { readonly extensions: Extensions }): boolean {
  return markOf(marked, 'protected') === true;
}

/** The operation that a field is marked with, `null` where it needs none. */
export function operationOf(marked: { readonly extensions: Extensions }): OperationName | null {
  const operation = markOf(marked, 'operation');
  return isOperationName(operation) ? operation : null;
}

function markOf({ extensions }: { readonly extensions: Extensions }, name: string): unknown {
  const marks = extensions[KEY];
  return typeof marks === 'object' && marks !== null && Object.hasOwn(marks, name)
    ? Reflect.get(marks, name)
    : undefined;
}
