/** What somebody between gateway and client could do to a stream, each as a part of a script. */
import { createId, encodeFeedCursor, streamName } from '../../../src/base/index.ts';
import type { FeedViolation } from '../../../src/client/index.ts';
import { createSigner } from '../sealing-gateway.ts';
import { changed, type EventData, type FeedLog, withBitTurned } from './feed-log.ts';

export interface Manipulation {
  /** What is sent in place of the honest events after `place`, of which there are two more at least. */
  readonly forge: (log: FeedLog, place: number) => Promise<readonly EventData[]>;
  /** What it is found to be. */
  readonly violation: FeedViolation;
}

/** Another stream of the same key, and a stream of another integration. */
const foreign = (log: FeedLog) => ({
  lineage: streamName(log.integrationId, createId('clientKey')),
  integration: streamName(createId('integration'), log.stream.split('/')[1] ?? ''),
});

const one =
  (forge: (log: FeedLog, place: number) => Promise<EventData>): Manipulation['forge'] =>
  async (log, place) => [await forge(log, place)];

/** The first one after the place, which is honest, with fields beside its envelope replaced. */
const beside = (more: (log: FeedLog, place: number, event: EventData) => Partial<EventData>) =>
  one(async (log, place) => {
    const event = await log.change(place + 1);
    return { ...event, ...more(log, place, event) };
  });

/** Sealed by the gateway's own key, but with other claims than the first one after the place has. */
const resealed = (claims: (log: FeedLog) => Parameters<FeedLog['sealChange']>[1]) =>
  one((log, place) => log.sealChange(changed(9), { sequence: place + 1, ...claims(log) }));

export const MANIPULATIONS: Readonly<Record<string, Manipulation>> = {
  'a change that is dropped': { violation: 'DROPPED', forge: one((log, place) => log.change(place + 2)) },
  'changes in another order': {
    violation: 'DROPPED',
    forge: async (log, place) => [await log.change(place + 2), await log.change(place + 1)],
  },
  'a change that is repeated': {
    violation: 'REPEATED',
    forge: async (log, place) => [await log.change(place + 1), await log.change(place + 1)],
  },
  'an old change that is replayed': { violation: 'REPEATED', forge: one((log) => log.change(1)) },
  'an old change under a new number': {
    violation: 'ALTERED',
    forge: one(async (log, place) => ({
      ...(await log.change(1)),
      sequence: place + 1,
      cursor: log.cursor(place + 1),
    })),
  },
  'another sequence beside the envelope': {
    violation: 'ALTERED',
    forge: beside((_log, place) => ({ sequence: place + 2 })),
  },
  'the cursor of another place': {
    violation: 'ALTERED',
    forge: beside((log, place) => ({ cursor: log.cursor(place) })),
  },
  'the cursor of another stream': {
    violation: 'ALTERED',
    forge: beside((log, place) => ({
      cursor: encodeFeedCursor({ stream: foreign(log).lineage, sequence: place + 1 }),
    })),
  },
  'no cursor at all': { violation: 'ALTERED', forge: beside(() => ({ cursor: 'x' })) },
  'another time beside the envelope': {
    violation: 'ALTERED',
    forge: beside((_log, _place, { occurredAt = '' }) => ({
      occurredAt: new Date(Date.parse(occurredAt) + 301_000).toISOString(),
    })),
  },
  'a bit turned in the ciphertext': {
    violation: 'FORGED',
    forge: one(async (log, place) => withBitTurned(await log.change(place + 1), 'ciphertext_data')),
  },
  'a bit turned in the header': {
    violation: 'FORGED',
    forge: one(async (log, place) => withBitTurned(await log.change(place + 1), 'protected')),
  },
  'a bit turned in the signature': {
    violation: 'FORGED',
    forge: one(async (log, place) => withBitTurned(await log.change(place + 1), 'pqc_signature')),
  },
  'no envelope': { violation: 'FORGED', forge: beside(() => ({ envelope: null as never })) },
  'an envelope by another signer': {
    violation: 'FORGED',
    forge: one((log, place) => log.sealChange(changed(9), { sequence: place + 1 }, createSigner())),
  },
  'an envelope of another lineage': {
    violation: 'FORGED',
    forge: resealed((log) => ({ stream: foreign(log).lineage })),
  },
  'an envelope of another integration': {
    violation: 'FORGED',
    forge: resealed((log) => {
      const stream = foreign(log).integration;
      return { stream, integration_id: stream.split('/')[0] ?? '' };
    }),
  },
  'an envelope that names another integration': {
    violation: 'FORGED',
    forge: resealed(() => ({ integration_id: createId('integration') })),
  },
  'an envelope of another tenant': {
    violation: 'FORGED',
    forge: resealed(() => ({ tenant_id: createId('tenant') })),
  },
  'an envelope for another key': {
    violation: 'FORGED',
    forge: resealed(() => ({ recipient_key_id: createId('clientKey') })),
  },
  'an envelope of another purpose': {
    violation: 'FORGED',
    forge: resealed(() => ({ purpose: 'proxy.result' })),
  },
  'an envelope of another operation': {
    violation: 'FORGED',
    forge: resealed(() => ({ operation: 'search' })),
  },
  'a position that passes for a change': {
    violation: 'FORGED',
    forge: one(async (log, place) => ({
      ...(await log.position(place, { sequence: place + 1 })),
      __typename: 'TicketChange',
      cursor: log.cursor(place + 1),
      occurredAt: new Date().toISOString(),
    })),
  },
  'a change that passes for a position': {
    violation: 'FORGED',
    forge: one(async (log, place) => ({ ...(await log.change(place + 1)), __typename: 'FeedPosition' })),
  },
  'a position without the changes that one before announced': {
    violation: 'WITHHELD',
    forge: one((log, place) => log.position(place)),
  },
  'a position of before what came': {
    violation: 'REPLAYED',
    forge: one((log, place) => log.position(place, { sequence: place - 1 })),
  },
  'a position with another place beside it': {
    violation: 'ALTERED',
    forge: one((log, place) => log.position(place + 1)),
  },
  'a position with another sequence beside it': {
    violation: 'ALTERED',
    forge: one(async (log, place) => ({ ...(await log.position(place)), sequence: place })),
  },
};
