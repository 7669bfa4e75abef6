/** What a plan makes of one wish: steps, or why there are none, and what to know before. */
import type { Person } from './person.ts';
import type { PlanStep } from './plan-step.ts';
import type { Wish } from './wish.ts';

/** Why a wish cannot be granted as it stands. */
export const BLOCK_REASONS = Object.freeze({
  NOT_FOUND: 'Zendesk has no such person.',
  DELETED: 'The person is deleted in Zendesk.',
  OWNER: 'The person owns the Zendesk account.',
  CONNECTED_ADMIN: 'The integration uses the credential of this person, who would cut the gateway off.',
  BREAK_GLASS: 'The integration, or another one of the same account, names this person for emergencies.',
  EXISTS: 'Somebody has this address and is not as wished. `allowExisting` lets the plan change them.',
  UNKNOWN_ROLE: 'The account has no such custom role.',
  UNKNOWN_GROUP: 'The account has no such group.',
  NOT_STAFF: 'Only agents and admins can be in groups.',
  LAST_GROUP: 'An agent has to stay in one group at least.',
  OPEN_TICKETS: 'The person has open tickets, and nobody is named to get them.',
  UNFIT_HEIR: 'Who is to get the tickets is not an active agent, or the person itself, or no such group.',
} as const);
export type BlockReason = keyof typeof BLOCK_REASONS;

/** What to know before a plan is applied. */
export const WARNINGS = Object.freeze({
  TAKES_SEAT: 'A seat more is taken. Where none is free Zendesk refuses.',
  FREES_SEAT: 'A seat becomes free.',
  BECOMES_ADMIN: 'The person becomes an admin, who may do everything in the account.',
  NO_ADMIN_ANY_MORE: 'The person is not an admin any more.',
  LOSES_GROUPS: 'The person leaves the groups that are named.',
  TICKETS_MOVE: 'Open tickets go to who is named.',
  STAYS_SUSPENDED: 'The person is suspended, and stays so.',
  KEEPS_SEAT: 'A suspended agent keeps the seat.',
  MAIL_IS_SENT: 'Zendesk sends a mail to the address.',
  OWNER_UNKNOWN:
    'Zendesk does not tell who owns the account. Name the owner with `setProvisioningSettings` as one of those for emergencies.',
  CONNECTED_UNKNOWN: 'Zendesk does not tell whose credential the integration uses.',
} as const);
export type WarningCode = keyof typeof WARNINGS;

export interface PlanWarning {
  readonly code: WarningCode;
  /** How many it concerns, `null` where that is no number. */
  readonly count: number | null;
  /** Names of groups. */
  readonly names: readonly string[];
}

/** A member of somebody who is there that is not as wished; text as people read it, `null` for nothing. */
export interface Difference {
  readonly field: string;
  readonly is: string | null;
  readonly wished: string | null;
}

export interface PlanItem {
  readonly wish: Wish;
  /** Who it is, `null` where there is nobody yet. */
  readonly person: Pick<Person, 'id' | 'name' | 'email'> | null;
  /** What the plan found of what it touches, by name: an item whose facts moved is not applied. */
  readonly facts: Readonly<Record<string, string>>;
  /** Empty where blocked, or where everything is as wished. */
  readonly steps: readonly PlanStep[];
  readonly blocked: BlockReason | null;
  readonly warnings: readonly PlanWarning[];
  /** Of somebody who is there and was not to be changed. */
  readonly differences: readonly Difference[];
}
