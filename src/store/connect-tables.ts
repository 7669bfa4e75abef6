/** The shape of the table of authorizations at Zendesk, as Kysely sees it. */
import type { Generated } from 'kysely';
import type { Blob, Nullable, NullableBlob, NullableTimestamp, Timestamp } from './column-types.ts';

export type AuthorizationStatus =
  | 'PENDING'
  | 'EXCHANGING'
  | 'GRANTED'
  | 'CONNECTED'
  | 'DENIED'
  | 'FAILED'
  | 'EXPIRED';

export interface ZendeskAuthorizationsTable {
  id: string;
  tenant_id: string;
  integration_id: string;
  /** The API key that began it. */
  requested_by: string;
  /** SHA-256. */
  state_hash: Blob;
  status: AuthorizationStatus;
  /** What was asked for. */
  scopes: string[];
  /** Verifier, client and where to go back to, sealed for this row and column. */
  secrets: NullableBlob;
  /** The tokens, sealed for this row and column, until they are a credential. */
  pair: NullableBlob;
  failure: Nullable<string>;
  missing_scopes: Generated<string[]>;
  credential_id: Nullable<string>;
  replaced_credential_id: Nullable<string>;
  /** Until when tokens may live at Zendesk that nobody holds; null for none. */
  left_until: NullableTimestamp;
  created_at: Timestamp;
  /** Of the state. */
  expires_at: Timestamp;
  /** Until when the process that goes on with it is taken to be alive. */
  attended_until: NullableTimestamp;
  finished_at: NullableTimestamp;
}
