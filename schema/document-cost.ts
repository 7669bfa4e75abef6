import { complexityFromQuery } from '@pothos/plugin-complexity';
import { Kind } from 'graphql';
import type { MeasureDocument } from '../src/service/index.ts';
import { QUERY_LIMITS } from './builder.ts';

/** What the chosen operation of a valid document costs, its variables being right. */
export const measureDocument: MeasureDocument = ({ schema, document, operation, variables }) => {
  const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
  const chosen = { kind: Kind.DOCUMENT, definitions: [operation, ...fragments] } as const;
  const { complexity } = complexityFromQuery(chosen, { schema, variables: { ...variables } });
  return { used: complexity, limit: QUERY_LIMITS.complexity };
};
