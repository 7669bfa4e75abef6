/**
 * Zendesk's records as the typed graph shows them. Members are `null` where Zendesk leaves them out or
 * sends something of another type; texts are Zendesk's own, so every type that shows one is answered
 * sealed. Ids of Zendesk are numbers here and global ids (`{integrationId}:{type}:{id}`) in the graph.
 */
import type { JsonValue } from '../../base/index.ts';

/** What a caller who may not list users sees of a person; of an organization there is no photo. */
export interface PersonReferenceView {
  readonly integrationId: string;
  readonly id: number;
  readonly name: string | null;
  /** Address of the picture. */
  readonly photo: string | null;
}

export interface OrganizationReferenceView {
  readonly integrationId: string;
  readonly id: number;
  readonly name: string | null;
}

export interface ViaView {
  /** Such as `email`, `web`, `api`; a number of Zendesk's is told as text. */
  readonly channel: string | null;
  /** Name and address of the sender, only for callers who may list users. */
  readonly fromName: string | null;
  readonly fromAddress: string | null;
}

export interface CustomFieldView {
  readonly id: number;
  readonly value: JsonValue;
}

export interface SatisfactionView {
  /** Such as `good`, `bad`, `offered`, `unoffered`. */
  readonly score: string;
  readonly comment: string | null;
  readonly reason: string | null;
}

export interface TicketView {
  readonly integrationId: string;
  readonly id: number;
  readonly externalId: string | null;
  readonly subject: string | null;
  readonly description: string | null;
  /** As Zendesk sends it; of a ticket with a custom status its category. */
  readonly status: string | null;
  readonly customStatusId: number | null;
  readonly priority: string | null;
  readonly type: string | null;
  readonly via: ViaView | null;
  readonly requesterId: number | null;
  readonly submitterId: number | null;
  readonly assigneeId: number | null;
  readonly organizationId: number | null;
  readonly groupId: number | null;
  readonly brandId: number | null;
  readonly ticketFormId: number | null;
  readonly collaboratorIds: readonly number[];
  readonly followerIds: readonly number[];
  readonly emailCcIds: readonly number[];
  readonly problemId: number | null;
  readonly hasIncidents: boolean;
  readonly isPublic: boolean;
  readonly tags: readonly string[];
  readonly customFields: readonly CustomFieldView[];
  readonly satisfaction: SatisfactionView | null;
  readonly dueAt: Date | null;
  readonly createdAt: Date | null;
  /** What `expectedUpdatedAt` of an update is compared with. */
  readonly updatedAt: Date | null;
}

export interface AttachmentView {
  readonly id: number;
  readonly fileName: string | null;
  readonly contentType: string | null;
  /** Bytes. */
  readonly size: number | null;
  readonly contentUrl: string | null;
  readonly inline: boolean;
}

export interface CommentView {
  readonly integrationId: string;
  readonly ticketId: number;
  readonly id: number;
  readonly authorId: number | null;
  readonly public: boolean;
  readonly body: string | null;
  readonly htmlBody: string | null;
  readonly plainBody: string | null;
  readonly via: ViaView | null;
  readonly attachments: readonly AttachmentView[];
  readonly createdAt: Date | null;
}

export interface UserView {
  readonly integrationId: string;
  readonly id: number;
  readonly name: string | null;
  readonly photo: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  /** `end-user`, `agent` or `admin`. */
  readonly role: string | null;
  readonly customRoleId: number | null;
  readonly externalId: string | null;
  readonly organizationId: number | null;
  readonly defaultGroupId: number | null;
  readonly active: boolean;
  readonly suspended: boolean;
  readonly verified: boolean;
  readonly twoFactorEnabled: boolean | null;
  readonly locale: string | null;
  readonly timeZone: string | null;
  readonly tags: readonly string[];
  readonly details: string | null;
  readonly notes: string | null;
  readonly lastLoginAt: Date | null;
  readonly createdAt: Date | null;
  readonly updatedAt: Date | null;
}

export interface OrganizationView {
  readonly integrationId: string;
  readonly id: number;
  readonly name: string | null;
  readonly externalId: string | null;
  readonly domainNames: readonly string[];
  readonly details: string | null;
  readonly notes: string | null;
  readonly groupId: number | null;
  readonly sharedTickets: boolean;
  readonly sharedComments: boolean;
  readonly tags: readonly string[];
  readonly createdAt: Date | null;
  readonly updatedAt: Date | null;
}

/** People and organizations come whole only for callers who may list them. */
export type SearchResultView =
  | { readonly kind: 'ticket'; readonly ticket: TicketView }
  | { readonly kind: 'user'; readonly user: UserView }
  | { readonly kind: 'organization'; readonly organization: OrganizationView }
  | { readonly kind: 'person'; readonly person: PersonReferenceView }
  | { readonly kind: 'organizationReference'; readonly organization: OrganizationReferenceView };
