/** A person of the directory as exports ask for one and write one down. */
import { z } from 'zod';
import { GatewayAnswerError } from '../client/index.ts';
import type { CsvPage } from './csv-export.ts';

const text = z.string().nullable();
const named = z.object({ zendeskId: z.string(), name: text });

/** What the fields of {@link PERSON_FIELDS} answer. */
export const Person = z.object({
  zendeskId: z.string(),
  ...{ name: text, email: text, phone: text, externalId: text },
  ...{ role: z.string(), roleType: text, roleSince: z.string(), isRoleSinceExact: z.boolean() },
  ...{ takesSeat: z.boolean(), status: z.string(), lastSeenAt: text, twoFactor: z.string() },
  customRole: named.nullable(),
  organization: named.nullable(),
  groups: z.array(named),
  ...{ createdAt: text, changedAt: z.string() },
});

export type Person = z.infer<typeof Person>;

export const PERSON_FIELDS = `zendeskId name email phone externalId role roleType roleSince isRoleSinceExact
  takesSeat status lastSeenAt twoFactor customRole { zendeskId name } organization { zendeskId name }
  groups { zendeskId name } createdAt changedAt`;

const PageInfo = z.object({ hasNextPage: z.boolean(), endCursor: text });

/** A page of a list, whose nodes are as `node` describes them. */
export function pageOf<Node>(node: z.ZodType<Node>) {
  return z.object({ totalCount: z.int().nonnegative().optional(), pageInfo: PageInfo, nodes: z.array(node) });
}

/** The page as rows of CSV. Throws GatewayAnswerError for one that goes on nowhere. */
export function toCsvPage<Node>(
  { totalCount, pageInfo, nodes }: z.infer<ReturnType<typeof pageOf<Node>>>,
  toRow: (node: Node) => readonly (string | null)[],
): CsvPage {
  if (pageInfo.hasNextPage && pageInfo.endCursor === null) {
    throw new GatewayAnswerError('The gateway answered a page that goes on without a cursor.');
  }
  return {
    rows: nodes.map(toRow),
    total: totalCount ?? null,
    next: pageInfo.hasNextPage ? pageInfo.endCursor : null,
  };
}

/** Of a group, an organization or a role: its name, or Zendesk's number where the directory does not know it. */
export function nameOf({ zendeskId, name }: z.infer<typeof named>): string {
  return name ?? zendeskId;
}

/** The names of several in one cell. */
export function namesOf(several: readonly z.infer<typeof named>[]): string {
  return several.map(nameOf).join('; ');
}
