/**
 * `sync_directory`: the right to take the people of an account into the directory and to read them there. It is a
 * row of the catalogue so that policies can list it; it runs as GraphQL fields of its own, also by schedule, and
 * never as a single call.
 */
import { z } from 'zod';
import { SealdeskError } from '../../base/index.ts';
import type { Operation } from './operation.ts';

const RUN_AS =
  'sync_directory runs as the GraphQL fields startAccessSync, directory and accessReview, not as a single call.';

export const syncDirectory: Operation<Record<string, never>> = Object.freeze({
  name: 'sync_directory',
  description:
    'Takes the users, groups, memberships, organizations and custom roles of the account into the directory, by the GraphQL mutation `startAccessSync` or by a schedule, and reads them there, by `directory` and `accessReview`. It cannot be sent as a single call.',
  mutation: false,
  roles: Object.freeze(['ADMIN'] as const),
  permits: Object.freeze(['Directory'] as const),
  fields: Object.freeze({}),
  result: z.record(z.string(), z.never()),
  prepare(): never {
    throw new SealdeskError('VALIDATION_FAILED', RUN_AS, {
      fields: [{ path: 'operation', message: 'runs as GraphQL fields of its own only' }],
    });
  },
});
