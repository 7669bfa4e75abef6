/** The public keys that sign a tenant's envelopes, as clients are told of them. */
import { encodeBase64, isId } from '../base/index.ts';
import {
  ENVELOPE_LIMITS,
  encodeSigningKeyJwk,
  type SigningKeyDocument,
  type SigningKeyInfo,
  type Transition,
} from '../envelope/index.ts';
import type { Tx } from '../store/index.ts';
import { readSigningKeys, type SigningKeyRecord, signingKeysAt } from '../vault/index.ts';
import { notFound } from './audited.ts';
import type { ServiceDeps } from './service-deps.ts';

/** The published keys at `now` (milliseconds since 1970), oldest first: at most as many as a client keeps. */
export async function listSigningKeys(
  tx: Tx,
  tenantId: string,
  now: number,
): Promise<readonly SigningKeyInfo[]> {
  return (await readPublished(tx, tenantId, now)).map(toInfo);
}

/** `keys.json` of a tenant; public. NOT_FOUND where there is no such tenant. */
export async function getSigningKeyDocument(
  { store, clock }: ServiceDeps,
  tenantId: string,
): Promise<SigningKeyDocument> {
  if (!isId('tenant', tenantId)) throw notFound('tenant');
  const keys = await store.withTenant(tenantId, (tx) => readPublished(tx, tenantId, clock.now()));
  if (keys.length === 0) throw notFound('tenant');
  return { keys: keys.map(toInfo).map(encodeSigningKeyJwk), transitions: transitionsOf(keys) };
}

/** The newest keys that have signed or will; what room they leave, to keys that were cancelled before they signed. */
async function readPublished(tx: Tx, tenantId: string, now: number): Promise<readonly SigningKeyRecord[]> {
  const newestFirst = signingKeysAt(await readSigningKeys(tx, tenantId), now).toReversed();
  const byUse = Map.groupBy(newestFirst, isUnused);
  return [...(byUse.get(false) ?? []), ...(byUse.get(true) ?? [])]
    .slice(0, ENVELOPE_LIMITS.maxSigningKeys)
    .toSorted((a, b) => a.version - b.version);
}

function isUnused({ status, notBefore, notAfter }: SigningKeyRecord): boolean {
  return status === 'REVOKED' && notAfter !== null && notAfter < notBefore;
}

/** The steps between keys that are good; a client does not go by others. */
function transitionsOf(keys: readonly SigningKeyRecord[]): readonly Transition[] {
  const revoked = new Set(keys.flatMap(({ kid, status }) => (status === 'REVOKED' ? kid : [])));
  return keys.flatMap(({ kid, step, notBefore }) =>
    step === null || revoked.has(kid) || revoked.has(step.fromKid)
      ? []
      : {
          from_kid: step.fromKid,
          to_kid: kid,
          not_before: toSeconds(notBefore),
          signature: encodeBase64(step.signature),
        },
  );
}

function toInfo({ kid, publicKey, status, notBefore, notAfter }: SigningKeyRecord): SigningKeyInfo {
  return {
    kid,
    publicKey,
    status,
    notBefore: toSeconds(notBefore),
    notAfter: notAfter === null ? null : toSeconds(notAfter),
  };
}

const toSeconds = (time: Date): number => Math.floor(time.getTime() / 1000);
