/**
 * What the directory needs of a tenant's keys, and the places that its texts are sealed for. A text is sealed with
 * the RFC 8785 bytes of {table, row, column, tenant, version} as additional data, so none can be put into another
 * row, tenant or version. A row's texts are one JSON text, column `sealed`: they are always read together.
 */
import { type Bytes, parseBase64Url } from '../base/index.ts';

/** As the vault's keys of a tenant have it. */
export interface DirectoryKeys {
  /** Longer than `text` by 49 bytes. */
  sealText(place: SealedPlace, text: string): Bytes;
  /** Throws INTERNAL where anything differs. */
  openText(place: SealedPlace, sealed: Uint8Array): string;
  /** Keyed hash under the secret `index`: 43 characters, base64url. */
  indexHmac(label: string, text: string): string;
}

export interface SealedPlace {
  readonly table: string;
  readonly rowId: string;
  readonly column: string;
  readonly version: number;
}

export type SealedTable =
  | 'directory_users'
  | 'directory_groups'
  | 'directory_organizations'
  | 'directory_custom_roles';

/** The directory of one integration. */
export interface DirectoryKey {
  readonly tenantId: string;
  readonly integrationId: string;
}

/** A label each, so that no two hashes of one text under it are the same. */
const LABELS = Object.freeze({
  email: 'directory/email',
  externalId: 'directory/external-id',
  digest: 'directory/digest',
});

const HASH_SIZE = 32;

/** Where the texts of a row lie. */
export function placeOf(
  table: SealedTable,
  { integrationId }: Pick<DirectoryKey, 'integrationId'>,
  zendeskId: number,
  version: number,
): SealedPlace {
  return { table, rowId: `${integrationId}/${zendeskId}`, column: 'sealed', version };
}

/** What users of an address are looked up by: 32 bytes. Addresses that differ in case or in how they are composed are the same. */
export function emailIndexOf(keys: DirectoryKeys, integrationId: string, email: string): Bytes {
  return hashOf(keys, LABELS.email, integrationId, foldedOf(email));
}

/** What users of an external id are looked up by: 32 bytes. Zendesk takes no notice of its case. */
export function externalIdIndexOf(keys: DirectoryKeys, integrationId: string, externalId: string): Bytes {
  return hashOf(keys, LABELS.externalId, integrationId, foldedOf(externalId));
}

/** A keyed hash of all that a row is made of: 32 bytes. */
export function digestOf(keys: DirectoryKeys, { table, rowId }: SealedPlace, content: string): Bytes {
  return hashOf(keys, LABELS.digest, `${table}/${rowId}`, content);
}

function hashOf(keys: DirectoryKeys, label: string, scope: string, text: string): Bytes {
  const hash = parseBase64Url(keys.indexHmac(label, `${scope}\0${text}`));
  if (hash?.length !== HASH_SIZE) throw new TypeError('"keys.indexHmac" must give 32 bytes as base64url');
  return hash;
}

function foldedOf(text: string): string {
  return text.trim().normalize('NFKC').toLowerCase();
}
