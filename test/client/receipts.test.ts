/** `client.verifyReceipt` against a gateway over HTTP, and against one that lies. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type ClientOptions,
  clientKeyFromFile,
  createClient,
  encodeKeyFile,
  parseKeyFileText,
  type SealdeskClient,
  type WelcomedClientKey,
  withPins,
} from '../../src/client/index.ts';
import { createNodeSuite } from '../../src/envelope/node.ts';
import { type ListeningGateway, openListeningGateway } from '../support/listening-gateway.ts';
import { createTestTenant, type TestTenant } from '../support/tenant.ts';

let listening: ListeningGateway;
let tenant: TestTenant;
let clientKey: WelcomedClientKey;
beforeAll(async () => {
  listening = await openListeningGateway({ simulator: { tickets: 5 } });
  tenant = await createTestTenant(listening.gateway);
  const read = await clientKeyFromFile(encodeKeyFile({ ...tenant.keyFile, gateway: listening.url }));
  if (read.state !== 'WELCOMED') throw new Error('The key of a test tenant is welcomed');
  clientKey = read;
});
afterAll(() => listening[Symbol.asyncDispose]());

const clientOf = (options: Partial<ClientOptions> = {}): SealdeskClient =>
  createClient({ url: listening.url, apiKey: tenant.keys.agent, clientKey, ...options });

/** An answer of the gateway, as it came. */
async function envelopeOf(ticketId = 1): Promise<object> {
  const { json } = await tenant.proxy('get_ticket', { ticket_id: ticketId });
  return json;
}

it('proves that an answer was logged, and pins the keys of the log at the first time', async () => {
  const pinned: WelcomedClientKey[] = [];
  const client = clientOf({ onPins: (key) => pinned.push(key) });
  const envelope = await envelopeOf();
  const { header, transcriptSha256 } = await client.encryption.decrypt(envelope);
  const first = await client.verifyReceipt(envelope);
  expect(first.event).toMatchObject({
    ...{ id: header.audit_event_id, action: 'zendesk.call', operation: 'get_ticket' },
    envelopes: [{ keyId: client.keyId, sha256: transcriptSha256 }],
  });
  expect(first.checkpoint).toMatchObject({ origin: `sealdesk/${tenant.id}` });
  expect(first.checkpoint.size).toBeGreaterThan(first.index);
  expect(first.keys.map(({ trust }) => trust)).toEqual(['FIRST_USE', 'FIRST_USE']);
  expect(pinned.map(({ logKeys }) => logKeys)).toEqual([first.keys.map(({ verifierKey }) => verifierKey)]);

  const second = await client.verifyReceipt(envelope);
  expect(second.keys.map(({ trust }) => trust)).toEqual(['PINNED', 'PINNED']);
  expect(pinned).toHaveLength(1);
});

it('keeps the pins in the key file', async () => {
  let logKeys: readonly string[] | undefined;
  const client = clientOf({
    onPins: (key) => {
      logKeys = key.logKeys;
    },
  });
  await client.verifyReceipt(await envelopeOf());
  const text = encodeKeyFile(withPins(tenant.keyFile, clientKey.signingKeys, logKeys));
  expect(parseKeyFileText(createNodeSuite(), text)).toMatchObject({ log_keys: logKeys });
  const again = await clientKeyFromFile(text);
  expect(again).toMatchObject({ state: 'WELCOMED', logKeys });
  if (again.state !== 'WELCOMED') return;
  const verified = await clientOf({ clientKey: again }).verifyReceipt(await envelopeOf());
  expect(verified.keys.map(({ trust }) => trust)).toEqual(['PINNED', 'PINNED']);
  for (const wrong of [['x', 1], 'x', [''], ['a', 'b', 'c', 'd', 'e']]) {
    const file = JSON.stringify({ ...JSON.parse(text), log_keys: wrong });
    await expect(clientKeyFromFile(file)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
  }
});

it('refuses a log that is signed by other keys than the pinned ones', async () => {
  const client = clientOf();
  const { keys } = await client.verifyReceipt(await envelopeOf());
  const other = await createTestTenant(listening.gateway, { name: 'Globex' });
  const { json } = await listening.gateway.graphql('{ auditEvents(last: 1) { nodes { id } } }', {
    apiKey: other.keys.auditor,
  });
  const receipt = await listening.gateway.graphql(
    'query($id: ID!) { auditReceipt(auditEventId: $id) { verifierKeys } }',
    { apiKey: other.keys.auditor, variables: { id: json.data.auditEvents.nodes[0].id } },
  );
  // Keys of the other tenant, under this tenant's name.
  const foreign: readonly string[] = receipt.json.data.auditReceipt.verifierKeys;
  expect(foreign).toHaveLength(keys.length);
  const logKeys = await renamed(foreign, tenant.id);
  await expect(
    clientOf({ clientKey: { ...clientKey, logKeys } }).verifyReceipt(await envelopeOf()),
  ).rejects.toMatchObject({ name: 'ReceiptError', code: 'KEY_NOT_PINNED' });
});

/** The same public keys as verifier keys of another log. */
async function renamed(texts: readonly string[], tenantId: string): Promise<readonly string[]> {
  const { createNoteVerifier, encodeVerifierKey, parseVerifierKey } = await import('../../src/tlog/index.ts');
  const { sha256 } = createNodeSuite();
  return texts.map((text) => {
    const key = parseVerifierKey(sha256, text);
    if (key === null) throw new Error('The gateway gave a key that is none');
    const { type, publicKey } = key;
    return encodeVerifierKey(createNoteVerifier(sha256, { name: `sealdesk/${tenantId}`, type, publicKey }));
  });
}

it('refuses an envelope that was altered, and one that nobody logged for this key', async () => {
  const client = clientOf();
  const envelope: { audit_event_id?: string } = await envelopeOf();
  await expect(client.verifyReceipt({ ...envelope, audit_event_id: 'aud_x' })).rejects.toMatchObject({
    name: 'EnvelopeOpenError',
  });
  const other = await createTestTenant(listening.gateway, { name: 'Globex' });
  const foreign = await other.proxy('get_ticket', { ticket_id: 1 });
  await expect(client.verifyReceipt(foreign.json)).rejects.toMatchObject({ name: 'EnvelopeOpenError' });
});

it('says what the gateway refuses', async () => {
  const envelope = await envelopeOf();
  const client = clientOf({ apiKey: 'sd_live_unknown' });
  await expect(client.verifyReceipt(envelope)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});
