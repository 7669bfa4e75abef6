/**
 * What mapping, rotating and ending a client key means to the streams of its lineage. All are done under the locks of
 * all logs of the tenant, taken before the key is touched, so that an append either comes before and is sealed for the
 * keys of then, or after and for those of now.
 */
import { type ClientKey, findClientKey, listActiveKeys } from '../../access/index.ts';
import type { NewAuditEvent } from '../../audit/index.ts';
import { encodeUtf8, type TicketChangeContent } from '../../base/index.ts';
import {
  closeStreamsOfLineage,
  insertEntries,
  listKeylessStreams,
  lockHeadsOfTenant,
} from '../../feed/index.ts';
import { notify, type Tx } from '../../store/index.ts';
import type { TenantKeys } from '../../vault/index.ts';
import type { FeedSealer } from './feed-sealer.ts';

const GAP: TicketChangeContent = Object.freeze({ v: 1, kind: 'GAP', reason: 'NO_ACTIVE_KEY' });

export interface KeyMapping {
  readonly keys: TenantKeys;
  readonly sealer: FeedSealer;
  readonly clientKeyId: string;
  /** The event that records the mapping, and with it the envelopes that come of it. */
  readonly auditEventId: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Maps a key by `map`, and writes one GAP entry to each stream of its lineage that had no active key. Returns the
 * envelopes of these, for the event.
 */
export async function mapKeyInFeeds(
  tx: Tx,
  { keys, sealer, clientKeyId, auditEventId, now }: KeyMapping,
  map: () => Promise<ClientKey>,
): Promise<{ readonly key: ClientKey; readonly envelopes: NonNullable<NewAuditEvent['envelopes']> }> {
  const { tenantId } = keys;
  await lockHeadsOfTenant(tx, tenantId);
  const before = await findClientKey(tx, tenantId, clientKeyId, now);
  // A key whose time was over ended without anybody who could have closed its streams.
  if (before !== null) await closeStreamsWithoutKey(tx, before, now);
  const key = await map();
  const streams = await listKeylessStreams(tx, tenantId, key.lineageId);
  const envelopes: { keyId: string; sequence: number; sha256: string }[] = [];
  for (const { integrationId, sequence: last } of streams) {
    const sequence = last + 1;
    const place = { lineageId: key.lineageId, recipientKeyId: key.id, sequence, auditEventId };
    const { envelope, transcriptSha256 } = await sealer.sealTo(
      keys,
      {
        ...place,
        purpose: 'ticket.change',
        integrationId,
        plaintext: encodeUtf8(JSON.stringify(GAP)),
      },
      key.kemPublicKey,
      now,
    );
    const entry = { ...place, occurredAt: new Date(now), envelope: JSON.stringify(envelope) };
    await insertEntries(tx, { tenantId, integrationId }, [entry]);
    await notify(tx, 'appended', integrationId);
    envelopes.push({ keyId: key.id, sequence, sha256: transcriptSha256 });
  }
  return { key, envelopes };
}

/**
 * Ends a key of the lineage by `end`, which returns a key of it: where no other is sealed to, nothing is written to
 * the streams until one is mapped.
 */
export async function endKeyInFeeds(
  tx: Tx,
  { tenantId, now }: { readonly tenantId: string; readonly now: number },
  end: () => Promise<ClientKey>,
): Promise<ClientKey> {
  await lockHeadsOfTenant(tx, tenantId);
  const key = await end();
  await closeStreamsWithoutKey(tx, key, now);
  await notify(tx, 'rights', tenantId);
  return key;
}

async function closeStreamsWithoutKey(
  tx: Tx,
  { tenantId, lineageId }: ClientKey,
  now: number,
): Promise<void> {
  const left = await listActiveKeys(tx, tenantId, [lineageId], now);
  if (left.length === 0) await closeStreamsOfLineage(tx, tenantId, lineageId);
}
