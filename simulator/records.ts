/**
 * What the simulated account stores: plain rows, times in milliseconds, ids as Zendesk gives them out.
 * The JSON that callers see is made of these in ticket-view.ts and people-view.ts.
 */

export const TICKET_STATUSES = ['new', 'open', 'pending', 'hold', 'solved', 'closed'] as const;
export type TicketStatus = (typeof TICKET_STATUSES)[number];
export const TICKET_PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const;
export type TicketPriority = (typeof TICKET_PRIORITIES)[number];
export const TICKET_TYPES = ['problem', 'incident', 'question', 'task'] as const;
export type TicketType = (typeof TICKET_TYPES)[number];
export const USER_ROLES = ['end-user', 'agent', 'admin'] as const;
export type UserRole = (typeof USER_ROLES)[number];

export interface CommentRow {
  readonly id: number;
  readonly auditId: number;
  readonly authorId: number;
  readonly body: string;
  readonly public: boolean;
  readonly createdAt: number;
  readonly channel: string;
}

export interface TicketRow {
  readonly id: number;
  readonly createdAt: number;
  updatedAt: number;
  /** Unix seconds; moves on every change, also on those of the system. */
  generatedAt: number;
  solvedAt: number | null;
  /** When it was deleted; deleted tickets are seen by the export and the trash only. */
  deletedAt: number | null;
  deletedBy: number | null;
  /** Permanently deleted: the content is gone, the id stays. */
  scrubbed: boolean;
  subject: string | null;
  status: TicketStatus;
  priority: TicketPriority | null;
  type: TicketType | null;
  requesterId: number;
  submitterId: number;
  assigneeId: number | null;
  organizationId: number | null;
  groupId: number | null;
  problemId: number | null;
  followupSourceId: number | null;
  externalId: string | null;
  dueAt: number | null;
  readonly channel: string;
  tags: readonly string[];
  collaboratorIds: readonly number[];
  customFields: ReadonlyMap<number, unknown>;
  satisfaction: 'unoffered' | 'offered' | 'good' | 'bad';
  isPublic: boolean;
  readonly aiAgent: boolean;
  commentCount: number;
  /** Which conversation of stories.ts the seeded texts are composed from; -1 for tickets made by a caller. */
  readonly story: number;
  /** Null while the conversation is still the seeded one (composed on demand). */
  comments: CommentRow[] | null;
}

export interface UserRow {
  readonly id: number;
  name: string;
  email: string | null;
  role: UserRole;
  organizationId: number | null;
  defaultGroupId: number | null;
  phone: string | null;
  externalId: string | null;
  notes: string | null;
  details: string | null;
  tags: readonly string[];
  suspended: boolean;
  active: boolean;
  verified: boolean;
  locale: string;
  alias: string;
  /** One of custom-roles.ts, which decides what the user's role may do. */
  customRoleId: number | null;
  /** Told of staff only. */
  twoFactor: boolean;
  /** Permanently deleted: the personal data is gone, the id stays. */
  scrubbed: boolean;
  readonly createdAt: number;
  updatedAt: number;
  /** Unix seconds; the user's place in the incremental export. */
  generatedAt: number;
  lastLoginAt: number | null;
}

/** One address of a user. */
export interface IdentityRow {
  readonly id: number;
  readonly value: string;
  readonly verified: boolean;
  readonly createdAt: number;
}

export interface GroupMembershipRow {
  readonly id: number;
  readonly userId: number;
  readonly groupId: number;
  readonly createdAt: number;
}

export interface SessionRow {
  readonly id: number;
  readonly userId: number;
  readonly authenticatedAt: number;
  readonly lastSeenAt: number;
}

export interface OrganizationRow {
  readonly id: number;
  readonly name: string;
  readonly domain: string;
  readonly externalId: string | null;
  readonly details: string | null;
  readonly tags: readonly string[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface GroupRow {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}
