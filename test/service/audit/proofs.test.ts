/** What auditors, and holders of answers, can prove by what the gateway tells them. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { appendAuditEvents, type NewAuditEvent } from '../../../src/audit/index.ts';
import { createId } from '../../../src/base/index.ts';
import { createNodeNoteSuite } from '../../../src/cli/note-suite.ts';
import { createEnvelopeOpener } from '../../../src/client/index.ts';
import {
  createMerkleHasher,
  openCheckpoint,
  parseVerifierKey,
  verifyConsistency,
  verifyInclusion,
} from '../../../src/tlog/index.ts';
import { sealedGraphql } from '../../support/sealed-graphql.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { createTestApiKey, suite as cryptoSuite, dataOf, openTestClientKey } from '../../support/tenant.ts';
import { codeOf, eventIdOf, newestEvents, useHouse } from '../house.ts';

const sha256 = (data: Uint8Array) => Uint8Array.from(createHash('sha256').update(data).digest());
const hasher = createMerkleHasher(sha256);
const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, 'base64'));
const flipped = (bytes: Uint8Array<ArrayBuffer>) => bytes.map((byte, at) => (at === 0 ? byte ^ 1 : byte));

interface Checkpoint {
  readonly size: number;
  readonly epoch: number;
  readonly root: string;
  readonly note: string;
}
interface Proven {
  readonly id: string;
  readonly index: number;
  readonly leaf: string;
  readonly inclusionProof: {
    readonly index: number;
    readonly size: number;
    readonly hashes: readonly string[];
    readonly checkpoint: Checkpoint | null;
  };
}

const CHECKPOINT = '{ size epoch root note }';
const PROOF = `{ index size hashes checkpoint ${CHECKPOINT} }`;
const RECEIPT = `query($id: ID!) { auditReceipt(auditEventId: $id) {
  auditEventId leaf verifierKeys inclusionProof ${PROOF} } }`;

describeOnBothDatabases('The proofs of the audit log', (database) => {
  const house = useHouse(database);
  const ask = (query: string, variables: object = {}, apiKey = house().tenant.keys.auditor) =>
    house().gateway.graphql(query, { apiKey, variables });
  const eventOf = async (id: string, size?: number): Promise<Proven> =>
    dataOf<{ auditEvent: Proven }>(
      await ask(
        `query($id: ID!, $size: Int) { auditEvent(id: $id) { id index leaf inclusionProof(size: $size) ${PROOF} } }`,
        { id, size },
      ),
    ).auditEvent;
  const checkpointOf = async (size?: number): Promise<Checkpoint> =>
    dataOf<{ auditCheckpoint: Checkpoint }>(
      await ask(`query($size: Int) { auditCheckpoint(size: $size) ${CHECKPOINT} }`, { size }),
    ).auditCheckpoint;
  const claimOf = ({ index, leaf, inclusionProof }: Proven, root: string) => ({
    ...{ index, size: inclusionProof.size, leafHash: hasher.hashLeaf(bytesOf(leaf)) },
    ...{ proof: inclusionProof.hashes.map(bytesOf), root: bytesOf(root) },
  });

  it('show of every event that it stands in a checkpoint, and of no altered one', async () => {
    const events = await newestEvents(house().gateway, house().tenant.keys.auditor, 30);
    for (const { id } of events) {
      const proven = await eventOf(id);
      const { checkpoint, size } = proven.inclusionProof;
      expect(checkpoint?.size).toBe(size);
      expect(JSON.parse(Buffer.from(proven.leaf, 'base64').toString())).toMatchObject({
        id,
        index: proven.index,
      });
      const claim = claimOf(proven, checkpoint?.root ?? '');
      expect(verifyInclusion(hasher, claim)).toBe(true);
      expect(verifyInclusion(hasher, { ...claim, leafHash: flipped(claim.leafHash) })).toBe(false);
      expect(verifyInclusion(hasher, { ...claim, root: flipped(claim.root) })).toBe(false);
      expect(verifyInclusion(hasher, { ...claim, proof: claim.proof.slice(1) })).toBe(false);
    }
  });

  it('lead to a checkpoint that both keys of the log have signed', async () => {
    const { note, size, root } = await checkpointOf();
    const { verifierKeys } = dataOf<{ auditReceipt: { readonly verifierKeys: readonly string[] } }>(
      await ask(RECEIPT, {
        id: (await newestEvents(house().gateway, house().tenant.keys.auditor, 1))[0]?.id,
      }),
    ).auditReceipt;
    const keys = verifierKeys.map((text) => parseVerifierKey(sha256, text)).filter((key) => key !== null);
    expect(keys.map(({ type, name }) => [type, name])).toEqual([
      ['ED25519', `sealdesk/${house().tenant.id}`],
      ['ML_DSA_65', `sealdesk/${house().tenant.id}`],
    ]);
    const suite = createNodeNoteSuite();
    const opened = await openCheckpoint(suite, note, keys);
    expect(opened?.checkpoint).toMatchObject({ size, root: bytesOf(root) });
    expect(await openCheckpoint(suite, note.replace(`\n${size}\n`, `\n${size + 1}\n`), keys)).toBeNull();
    expect(await openCheckpoint(suite, note, keys.slice(0, 1))).toBeNull();
  });

  it('tell a checkpoint again as it was, and the newest where none is named', async () => {
    const first = await checkpointOf();
    const second = await checkpointOf();
    expect(second.size).toBeGreaterThan(first.size);
    expect(await checkpointOf(first.size)).toEqual(first);
    const none = await ask('{ auditCheckpoint(size: 1) { size } }');
    expect([codeOf(none), none.json.errors[0].message]).toEqual([
      'NOT_FOUND',
      expect.stringMatching(/no checkpoint of this size/),
    ]);
  });

  it('show that the log only grew, from any size to any later one', async () => {
    const old = await checkpointOf();
    for (let count = 0; count < 3; count += 1) await ask('{ viewer { tenant { id } } }');
    const { from, to, hashes, checkpoint } = dataOf<{
      auditConsistencyProof: {
        readonly from: number;
        readonly to: number;
        readonly hashes: readonly string[];
        readonly checkpoint: Checkpoint;
      };
    }>(
      await ask(
        `query($from: Int!) { auditConsistencyProof(from: $from) { from to hashes checkpoint ${CHECKPOINT} } }`,
        { from: old.size },
      ),
    ).auditConsistencyProof;
    expect({ from, to }).toEqual({ from: old.size, to: checkpoint.size });
    const claim = {
      ...{ from, to, proof: hashes.map(bytesOf) },
      ...{ fromRoot: bytesOf(old.root), toRoot: bytesOf(checkpoint.root) },
    };
    expect(verifyConsistency(hasher, claim)).toBe(true);
    expect(verifyConsistency(hasher, { ...claim, fromRoot: flipped(claim.fromRoot) })).toBe(false);
    expect(verifyConsistency(hasher, { ...claim, from: from - 1 })).toBe(false);
    const sizes = '{ auditConsistencyProof(from: 0, to: 3) { from to hashes checkpoint { size } } }';
    expect(dataOf(await ask(sizes))['auditConsistencyProof']).toEqual({
      from: 0,
      to: 3,
      hashes: [],
      checkpoint: null,
    });
  });

  it.each([
    ['{ auditConsistencyProof(from: 5, to: 3) { hashes } }', /from: must not be above to/],
    [
      '{ auditConsistencyProof(from: 1, to: 1000000) { hashes } }',
      /to: is beyond the log, which has \d+ events/,
    ],
    ['{ auditConsistencyProof(from: 1000000) { hashes } }', /from: is beyond the log/],
    ['{ auditConsistencyProof(from: -1, to: 3) { hashes } }', /from: must not be negative/],
    ['{ auditCheckpoint(size: -1) { size } }', /must not be negative/],
    [
      '{ auditEvents(first: 3) { nodes { inclusionProof(size: 1) { hashes } } } }',
      /size: must be above 1, the index of the event/,
    ],
    [
      '{ auditEvents(first: 1) { nodes { inclusionProof(size: 1000000) { hashes } } } }',
      /size: is beyond the log/,
    ],
  ])('say of %s what is wrong with it', async (query, message) => {
    const answer = await ask(query);
    expect([codeOf(answer), answer.json.errors[0].message]).toEqual([
      'VALIDATION_FAILED',
      expect.stringMatching(message),
    ]);
  });

  it('prove an event in a tree of any size that holds it, signed or not', async () => {
    const [event] = await newestEvents(house().gateway, house().tenant.keys.auditor, 1);
    const index = event?.index ?? 0;
    const proven = await eventOf(event?.id ?? '', index + 1);
    expect(proven.inclusionProof).toMatchObject({ index, size: index + 1 });
    const { hashes } = dataOf<{ auditConsistencyProof: { readonly hashes: readonly string[] } }>(
      await ask(`query($from: Int!, $to: Int!) { auditConsistencyProof(from: $from, to: $to) { hashes } }`, {
        from: index + 1,
        to: (await checkpointOf()).size,
      }),
    ).auditConsistencyProof;
    expect(hashes.length).toBeGreaterThan(0);
  });

  it('cost so much that a document asks for few of them', async () => {
    const answer = await ask(
      '{ auditEvents(first: 100) { nodes { inclusionProof { hashes checkpoint { note } } } } }',
    );
    expect(codeOf(answer)).toBeNull();
    const two =
      '{ a: auditEvents(first: 100) { nodes { inclusionProof { size } } } b: auditEvents(first: 100) { nodes { inclusionProof { size } } } }';
    expect(codeOf(await ask(two))).toBe('QUERY_TOO_COMPLEX');
  });

  it('give the receipt of an answer to who it was sealed to, and to auditors', async () => {
    const { gateway, tenant } = house();
    const asked = await sealedGraphql(gateway, tenant, '{ viewer { tenant { id } } }');
    const id = asked.header?.audit_event_id ?? '';
    const receiptOf = async (apiKey: string) => {
      const answer = await ask(RECEIPT, { id }, apiKey);
      return (
        codeOf(answer) ??
        dataOf<{ auditReceipt: Proven & { readonly auditEventId: string } }>(answer).auditReceipt
      );
    };
    for (const apiKey of [tenant.keys.agent, tenant.keys.dashboard, tenant.keys.auditor]) {
      const receipt = await receiptOf(apiKey);
      if (typeof receipt === 'string') throw new Error(receipt);
      const leaf = JSON.parse(Buffer.from(receipt.leaf, 'base64').toString());
      expect(leaf).toMatchObject({
        id,
        envelopes: [{ keyId: tenant.keyFile.key_id, sha256: asked.transcriptSha256 }],
      });
      const { index, checkpoint } = receipt.inclusionProof;
      expect(verifyInclusion(hasher, claimOf({ ...receipt, index }, checkpoint?.root ?? ''))).toBe(true);
    }
    const other = await openTestClientKey(gateway, tenant.keys.admin, tenant.keys.admin);
    const stranger = await createTestApiKey(gateway, tenant.keys.admin, {
      ...{ roles: ['AGENT'], clientKeyId: other.key_id },
    });
    expect(await receiptOf(stranger)).toBe('NOT_FOUND');
    expect(await receiptOf(tenant.keys.admin)).toBe('NOT_FOUND');
    expect(await receiptOf(house().other.keys.auditor)).toBe('NOT_FOUND');
  });

  it('take a key that is only named for one’s own where the receipt leaves sealed to it', async () => {
    const { gateway, tenant } = house();
    const asked = await sealedGraphql(gateway, tenant, '{ viewer { tenant { id } } }');
    const variables = { id: asked.header?.audit_event_id };
    const headers = { 'x-sealdesk-key': tenant.keyFile.key_id };
    const unbound = await createTestApiKey(gateway, tenant.keys.admin, { roles: ['AGENT'] });
    expect(codeOf(await gateway.graphql(RECEIPT, { apiKey: unbound, variables, headers }))).toBe('NOT_FOUND');
    const sealed = await sealedGraphql(gateway, tenant, RECEIPT, { apiKey: unbound, variables, headers });
    expect(sealed.result.data.auditReceipt.auditEventId).toBe(variables.id);
  });

  it('are given to a restricted key of what was sealed to its lineage alone, since a leaf names all clients', async () => {
    const { gateway, tenant } = house();
    const { admin } = tenant.keys;
    const restrictTo = { integrationId: tenant.integrationId, organizationId: '42' };
    const held = await openTestClientKey(gateway, admin, admin, restrictTo);
    const own = { keyId: held.key_id, sha256: 'A'.repeat(43) };
    const others = { ...own, keyId: tenant.keyFile.key_id };
    const { store, keyring } = gateway.deps;
    const keys = await keyring.keysOf(tenant.id);
    const record = async (envelopes: readonly (typeof own)[]) => {
      const id = createId('auditEvent');
      const event: NewAuditEvent = {
        ...{ id, occurredAt: new Date().toISOString(), phase: 'SINGLE', envelopes },
        actor: { type: 'SYSTEM', id: 'test' },
        ...{ action: 'feed.append', outcome: 'SUCCEEDED' },
      };
      await store.withTenant(tenant.id, (tx) =>
        appendAuditEvents(tx, { tenantId: tenant.id, headKey: keys.auditHeadKey(), events: [event] }),
      );
      return id;
    };
    const [alone, together] = [await record([own]), await record([own, others])];
    const holders = [
      { keyFile: held, ids: [alone] },
      { keyFile: tenant.keyFile, ids: [together] },
    ];
    for (const { keyFile, ids } of holders) {
      const apiKey = await createTestApiKey(gateway, admin, {
        roles: ['AGENT'],
        clientKeyId: keyFile.key_id,
      });
      const unbound = await createTestApiKey(gateway, admin, { roles: ['AGENT'] });
      const asHolder = { ...tenant, keyFile, opener: createEnvelopeOpener(cryptoSuite, keyFile) };
      for (const id of [alone, together]) {
        const code = ids.includes(id) ? undefined : 'NOT_FOUND';
        for (const options of [
          { apiKey },
          { apiKey: unbound, headers: { 'x-sealdesk-key': keyFile.key_id } },
        ]) {
          const { result } = await sealedGraphql(gateway, asHolder, RECEIPT, {
            ...options,
            variables: { id },
          });
          expect(result.errors?.[0]?.extensions.code).toBe(code);
        }
      }
    }
  });

  it('are asked for on record', async () => {
    const { gateway, tenant } = house();
    const answers = [
      await ask('{ auditCheckpoint { size } }'),
      await ask('{ auditConsistencyProof(from: 1) { to } }'),
      await ask(RECEIPT, { id: 'aud_x' }, tenant.keys.agent),
    ];
    const events = await newestEvents(gateway, tenant.keys.auditor, 10);
    const actions = answers.map((answer) => events.find(({ id }) => id === eventIdOf(answer))?.action);
    expect(actions).toEqual(['query.auditCheckpoint', 'query.auditConsistencyProof', 'query.auditReceipt']);
  });

  it('page the log both ways, narrowed by what is known of an event', async () => {
    const { tenant, gateway } = house();
    const denied = await ask('{ auditCheckpoint { size } }', {}, tenant.keys.agent);
    const page = async (filter: object, args: string) =>
      dataOf<{
        auditEvents: {
          readonly pageInfo: Readonly<Record<string, string & boolean>>;
          readonly nodes: readonly {
            readonly id: string;
            readonly index: number;
            readonly requestId: string;
          }[];
        };
      }>(
        await ask(
          `query($filter: AuditEventFilter) { auditEvents(filter: $filter, ${args}) {
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { id index requestId denialReason } } }`,
          { filter },
        ),
      ).auditEvents;
    const [found] = (await page({ denialReason: 'FORBIDDEN', actorType: 'API_KEY' }, 'last: 1')).nodes;
    expect(found?.id).toBe(eventIdOf(denied));
    expect((await page({ requestId: found?.requestId }, 'first: 5')).nodes.map(({ id }) => id)).toEqual([
      found?.id,
    ]);
    expect((await page({ keyId: tenant.keyFile.key_id }, 'first: 1')).nodes).toHaveLength(1);
    expect((await page({ resource: tenant.credentialId }, 'first: 1')).nodes).toHaveLength(1);
    expect((await page({ actorType: 'COMMAND_LINE' }, 'first: 1')).nodes).toEqual([]);
    const first = await page({}, 'first: 3');
    const next = await page({}, `first: 3, after: "${first.pageInfo['endCursor']}"`);
    const back = await page({}, `last: 3, before: "${next.pageInfo['startCursor']}"`);
    expect(next.nodes.map(({ index }) => index)).toEqual([3, 4, 5]);
    expect(back.nodes).toEqual(first.nodes);
    expect(back.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    expect(
      codeOf(
        await gateway.graphql('{ auditEvents(filter: { resource: "a b" }) { nodes { id } } }', {
          apiKey: tenant.keys.auditor,
        }),
      ),
    ).toBe('VALIDATION_FAILED');
  });
});
