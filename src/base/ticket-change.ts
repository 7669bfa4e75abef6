/**
 * What is inside the envelopes of the change feed (purposes `ticket.change` and `ticket.position`), as the
 * gateway writes it and clients read it. `schema/ticket-change.schema.json` says the same as JSON Schema.
 * Names of fields are Zendesk's own; ids are numbers up to 2^53 - 1, times RFC 3339 in UTC.
 */

/** A ticket as of one version: what `show_many` tells of it, people and organizations by id, without contact data. */
export interface TicketSnapshot {
  readonly id: number;
  readonly subject: string | null;
  /** The first comment. */
  readonly description: string | null;
  /** The category; {@link custom_status_id} tells the status itself where an account has its own. */
  readonly status: string;
  readonly custom_status_id: number | null;
  readonly priority: string | null;
  readonly type: string | null;
  readonly tags: readonly string[];
  readonly requester_id: number | null;
  readonly submitter_id: number | null;
  readonly assignee_id: number | null;
  readonly organization_id: number | null;
  readonly group_id: number | null;
  readonly brand_id: number | null;
  readonly ticket_form_id: number | null;
  readonly problem_id: number | null;
  readonly has_incidents: boolean;
  readonly is_public: boolean;
  readonly external_id: string | null;
  readonly due_at: string | null;
  readonly collaborator_ids: readonly number[];
  readonly follower_ids: readonly number[];
  readonly email_cc_ids: readonly number[];
  readonly custom_fields: readonly { readonly id: number; readonly value: unknown }[];
  /** How the ticket came in, such as `web` or `email`. */
  readonly via_channel: string | null;
  /** `offered`, `unoffered`, `good`, `bad` …; null where there is none. */
  readonly satisfaction_score: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

/** Kinds of change that webhooks tell of; a version found by the export alone has none of them. */
export const TICKET_CHANGES = Object.freeze([
  'CREATED',
  'STATUS',
  'CUSTOM_STATUS',
  'PRIORITY',
  'TYPE',
  'SUBJECT',
  'DESCRIPTION',
  'TAGS',
  'CUSTOM_FIELD',
  'ASSIGNEE',
  'GROUP',
  'REQUESTER',
  'SUBMITTER',
  'ORGANIZATION',
  'BRAND',
  'FORM',
  'EXTERNAL_ID',
  'EMAIL_CCS',
  'FOLLOWERS',
  'PROBLEM_LINK',
  'DUE_AT',
  'COMMENT_ADDED',
  'COMMENT_CHANGED',
  'ATTACHMENT',
  'MERGED',
  'MARKED_AS_SPAM',
  'DELETED',
  'UNDELETED',
  'SATISFACTION',
  'SERVICE_LEVEL',
  'OTHER',
] as const);
export type TicketChangeKind = (typeof TICKET_CHANGES)[number];

/** Values before the change, by the field's name in the snapshot, as far as webhooks told them. */
export type PreviousValues = Readonly<Partial<Record<keyof TicketSnapshot, unknown>>>;

/** The plaintext of an envelope of purpose `ticket.change`. */
export type TicketChangeContent =
  | {
      readonly v: 1;
      /** A newer version of a ticket. */
      readonly kind: 'CHANGED';
      readonly ticket_id: number;
      readonly ticket: TicketSnapshot;
      /** Unix seconds; moves with every change, also those of the system. Null where Zendesk did not tell. */
      readonly generated_timestamp: number | null;
      readonly changes: readonly TicketChangeKind[];
      readonly previous: PreviousValues;
      /**
       * Names of fields that are not told whole, since the ticket is larger than an entry may be: `description`,
       * `custom_fields.{id}` and so on. Empty for almost every ticket.
       */
      readonly shortened: readonly string[];
    }
  | {
      readonly v: 1;
      /** The ticket is gone. */
      readonly kind: 'DELETED';
      readonly ticket_id: number;
      /** Whether it cannot be restored any more. */
      readonly permanent: boolean;
      readonly changes: readonly TicketChangeKind[];
    }
  | {
      readonly v: 1;
      /**
       * To a client key that is restricted: a ticket that was not within its restriction is now. Nothing is told of
       * how it was before.
       */
      readonly kind: 'ENTERED_SCOPE';
      readonly ticket_id: number;
      readonly ticket: TicketSnapshot;
      /** As of CHANGED. */
      readonly generated_timestamp: number | null;
      /** As of CHANGED. */
      readonly shortened: readonly string[];
    }
  | {
      readonly v: 1;
      /** To a client key that is restricted: the ticket is no longer within its restriction. */
      readonly kind: 'LEFT_SCOPE';
      readonly ticket_id: number;
    }
  | {
      readonly v: 1;
      /** Versions between the entry before and the one after may be missing: take a new snapshot. */
      readonly kind: 'GAP';
      /** NO_ACTIVE_KEY: the recipient had no active key. SOURCE_RESTARTED: Zendesk's export had to begin anew. */
      readonly reason: 'NO_ACTIVE_KEY' | 'SOURCE_RESTARTED';
    };

/** The plaintext of an envelope of purpose `ticket.position`; stream, sequence and time are in its header. */
export interface TicketPositionContent {
  readonly v: 1;
  /**
   * Every ticket whose last change was before this time is in the stream as it then was, up to the header's
   * sequence. Of one that has changed since, the last version may still be to come. Null where nothing tells.
   */
  readonly complete_until: string | null;
}
