/** The one table of operations that the gateway can run against Zendesk; what is not in it does not exist. */
import type { z } from 'zod';
import { createTicket } from './create-ticket.ts';
import { createUser } from './create-user.ts';
import { endSessions } from './end-sessions.ts';
import { getTicket } from './get-ticket.ts';
import { listOrganizations } from './list-organizations.ts';
import { listTickets } from './list-tickets.ts';
import { listUsers } from './list-users.ts';
import { manageGroups } from './manage-groups.ts';
import type { Operation } from './operation.ts';
import { search } from './search.ts';
import { subscribeTickets } from './subscribe-tickets.ts';
import { suspendUser } from './suspend-user.ts';
import { syncDirectory } from './sync-directory.ts';
import { updateTicket } from './update-ticket.ts';
import { updateUser } from './update-user.ts';

const ROWS = {
  list_tickets: listTickets,
  get_ticket: getTicket,
  create_ticket: createTicket,
  update_ticket: updateTicket,
  list_users: listUsers,
  list_organizations: listOrganizations,
  search,
  subscribe_tickets: subscribeTickets,
  sync_directory: syncDirectory,
  create_user: createUser,
  update_user: updateUser,
  suspend_user: suspendUser,
  manage_groups: manageGroups,
  end_sessions: endSessions,
} as const;

export type OperationName = keyof typeof ROWS;

/** The result of one operation, as its schema documents it. */
export type OperationResult<Name extends OperationName> = z.infer<(typeof ROWS)[Name]['result']>;

/** By name, each with the type of its own result. */
export const CATALOGUE: Readonly<typeof ROWS> = Object.freeze(Object.assign(Object.create(null), ROWS));

export const OPERATION_NAMES: readonly OperationName[] = Object.freeze(Object.keys(ROWS) as OperationName[]);

export function isOperationName(name: unknown): name is OperationName {
  return typeof name === 'string' && Object.hasOwn(CATALOGUE, name);
}

/** The operation called `name`, or `null`. */
export function findOperation(name: unknown): Operation | null {
  return isOperationName(name) ? CATALOGUE[name] : null;
}

/** The table as Markdown, for the documentation. */
export function printCatalogue(): string {
  const rows = OPERATION_NAMES.map((name) => {
    const { description, mutation, roles, permits, fields } = CATALOGUE[name];
    return [
      `## \`${name}\``,
      '',
      description,
      '',
      `${mutation ? 'Changes Zendesk' : 'Reads'}; permits ${permits.join(', ')}. For ${roles.join(' and ')}.`,
      '',
      ...tableOf(fields),
    ].join('\n');
  });
  return `# Operations\n\n${rows.join('\n')}`;
}

function tableOf(fields: Readonly<Record<string, string>>): readonly string[] {
  const rows = Object.entries(fields).map(
    ([field, meaning]) => `| \`${field}\` | ${meaning.replaceAll('|', '\\|')} |`,
  );
  return rows.length === 0 ? [] : ['| payload field | meaning |', '|---|---|', ...rows, ''];
}
