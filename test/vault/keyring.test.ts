import { createHmac, hkdfSync, randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createId, encodeUtf8 } from '../../src/base/index.ts';
import { openKeyring, prepareTenantSecrets, type TextLocation } from '../../src/vault/index.ts';
import { describeOnBothDatabases, openTestStore, type TestStore } from '../support/store.ts';
import { type Fixture, isWiped, openFixture } from './vault-fixture.ts';

const MINUTE = 60_000;

describeOnBothDatabases('keyring', (kind) => {
  let database: TestStore;
  let fixture: Fixture;
  let tenantId: string;

  beforeAll(async () => {
    database = await openTestStore(kind);
  });
  afterAll(() => database[Symbol.asyncDispose]());
  beforeEach(async () => {
    fixture = await openFixture(database.store);
    tenantId = await fixture.createTenant();
  });
  afterEach(() => fixture[Symbol.asyncDispose]());

  const calls = () => fixture.server.requests.length;

  it('makes a tenant by six KMS calls, one for each purpose, and wipes what they gave', () => {
    const { requests } = fixture.server;
    expect(requests.map(({ encryptionContext }) => encryptionContext?.['purpose']).sort()).toEqual([
      'audit-signing',
      'envelope-signing',
      'index',
      'mac-root',
      'storage',
      'vault',
    ]);
    expect(new Set(requests.map(({ encryptionContext }) => encryptionContext?.['tenant']))).toEqual(
      new Set([tenantId]),
    );
    expect(fixture.dataKeys).toHaveLength(6);
    expect(fixture.dataKeys.every(isWiped)).toBe(true);
  });

  it('unwraps a tenant once for fifty that ask at once, by at most six KMS calls', async () => {
    const before = calls();
    const all = await Promise.all(Array.from({ length: 50 }, () => fixture.keyring.keysOf(tenantId)));
    expect(new Set(all).size).toBe(1);
    expect(calls() - before).toBeLessThanOrEqual(6);
    await fixture.keyring.keysOf(tenantId);
    expect(calls() - before).toBeLessThanOrEqual(6);
    expect(fixture.dataKeys.every(isWiped)).toBe(true);
  });

  it('hands out nothing that was forgotten, not even what was being unwrapped then', async () => {
    const held = await fixture.keyring.keysOf(tenantId);
    fixture.keyring.forget(tenantId);
    const under = fixture.keyring.keysOf(tenantId);
    fixture.keyring.forget(tenantId);
    const next = await fixture.keyring.keysOf(tenantId);
    expect(new Set([held, await under, next]).size).toBe(3);
    expect(await fixture.keyring.keysOf(tenantId)).toBe(next);
    // Who has them already may finish with them, for a minute.
    expect(held.macKeyOf(createId('clientKey'))).toHaveLength(64);
    await fixture.clock.advance(MINUTE);
    expect(() => held.auditHeadKey()).toThrow('longer than it may live');
    expect(next.auditHeadKey()).toHaveLength(64);
  });

  it('signs with the key whose public half is stored', async () => {
    const keys = await fixture.keyring.keysOf(tenantId);
    const signingKey = keys.signingKeyAt(fixture.clock.now() / 1000);
    const [message, context] = [encodeUtf8('message'), encodeUtf8('test')];
    const signature = await signingKey.handle.sign(message, context);
    const row = await fixture.store.withTenant(tenantId, (tx) =>
      tx.selectFrom('signing_keys').selectAll().executeTakeFirstOrThrow(),
    );
    const verifier = fixture.suite.importVerifyingKey(row.public_key);
    expect(await verifier.verify(message, signature, context)).toBe(true);
    expect({ id: signingKey.id, kid: signingKey.kid, version: signingKey.version }).toEqual({
      id: row.id,
      kid: verifier.kid,
      version: 1,
    });
    expect(row.id).toMatch(/^sig_/);
  });

  it('derives the MAC keys as the design says, from a root nobody else sees', async () => {
    const keys = await fixture.keyring.keysOf(tenantId);
    const clientKeyId = createId('clientKey');
    const roots = fixture.opened.filter(({ length }) => length === 32);
    const expand = (root: Uint8Array, info: string): Buffer => {
      // HKDF-Expand (RFC 5869 §2.3), one block of SHA-512, written out.
      return createHmac('sha512', root).update(info).update(Uint8Array.of(1)).digest();
    };
    const info = `sealdesk/mac/v1\0${clientKeyId}`;
    const macKey = Buffer.from(keys.macKeyOf(clientKeyId));
    expect(macKey).toHaveLength(64);
    expect(roots.filter((root) => expand(root, info).equals(macKey))).toHaveLength(1);
    expect(Buffer.from(keys.macKeyOf(createId('clientKey')))).not.toEqual(macKey);
    const head = Buffer.from(keys.auditHeadKey());
    expect(roots.filter((root) => expand(root, 'sealdesk/audit-head/v1').equals(head))).toHaveLength(1);
    // Not the whole of HKDF: the root is uniform already, so nothing is extracted.
    expect(Buffer.from(hkdfSync('sha512', roots[0] ?? '', '', info, 64))).not.toEqual(macKey);
    expect(() => keys.macKeyOf(tenantId)).toThrow(TypeError);
  });

  it('gives each tenant, label and text another lookup hash, and the same one each time', async () => {
    const keys = await fixture.keyring.keysOf(tenantId);
    const other = await fixture.keyring.keysOf(await fixture.createTenant());
    const hashes = [
      keys.indexHmac('audit.query', 'type:ticket'),
      keys.indexHmac('audit.query', 'type:user'),
      keys.indexHmac('user.email', 'type:ticket'),
      other.indexHmac('audit.query', 'type:ticket'),
      keys.idempotencyKey(['audit.query', 'type:ticket']),
      keys.idempotencyKey(['audit.querytype:ticket']),
      keys.idempotencyKey(['audit.query', 'type:', 'ticket']),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
    for (const hash of hashes) expect(hash).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(keys.indexHmac('audit.query', 'type:ticket')).toBe(hashes[0]);
    expect(keys.idempotencyKey(['audit.query', 'type:ticket'])).toBe(hashes[4]);
    expect(() => keys.indexHmac('Audit Query', 'x')).toThrow(TypeError);
  });

  const location: TextLocation = { table: 'jobs', rowId: 'row-1', column: 'input', version: 3 };

  it('opens a sealed text at its own place and nowhere else', async () => {
    const keys = await fixture.keyring.keysOf(tenantId);
    const sealed = keys.sealText(location, 'Kundentext ☃');
    expect(sealed).toHaveLength(49 + encodeUtf8('Kundentext ☃').length);
    expect(keys.openText(location, sealed)).toBe('Kundentext ☃');
    expect(keys.sealText(location, 'Kundentext ☃')).not.toEqual(sealed);
    const elsewhere: TextLocation[] = [
      { ...location, table: 'plans' },
      { ...location, rowId: 'row-2' },
      { ...location, column: 'output' },
      { ...location, version: 2 },
    ];
    for (const place of elsewhere) expect(() => keys.openText(place, sealed)).toThrow('cannot be opened');
    const other = await fixture.keyring.keysOf(await fixture.createTenant());
    expect(() => other.openText(location, sealed)).toThrow('cannot be opened');
  });

  it('opens no sealed text of which a bit was changed, or a byte removed', async () => {
    const keys = await fixture.keyring.keysOf(tenantId);
    const sealed = keys.sealText(location, 'text');
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = new Uint8Array(sealed);
      changed[index] = (changed[index] as number) ^ (1 << (index % 8));
      expect(() => keys.openText(location, changed)).toThrow('cannot be opened');
      expect(() => keys.openText(location, sealed.subarray(0, index))).toThrow('cannot be opened');
    }
    expect(() => keys.sealText(location, 'x'.repeat(4 * 1024 * 1024 + 1))).toThrow(RangeError);
  });

  it('is cut off after five minutes where the KMS key was disabled, and works at once when it is enabled', async () => {
    const { server, keyring, clock } = fixture;
    await keyring.keysOf(tenantId);
    server.setKeyState(server.defaultKeyArn, 'disabled');
    await clock.advance(4 * MINUTE - 1);
    await keyring.keysOf(tenantId);
    await clock.advance(MINUTE + 1);
    await expect(keyring.keysOf(tenantId)).rejects.toMatchObject({ code: 'KMS_UNAVAILABLE' });
    server.setKeyState(server.defaultKeyArn, 'enabled');
    expect((await keyring.keysOf(tenantId)).tenantId).toBe(tenantId);
  });

  it('asks the KMS again after four minutes, so that whoever has keys keeps them for one more', async () => {
    const { keyring, clock } = fixture;
    const first = await keyring.keysOf(tenantId);
    await clock.advance(4 * MINUTE);
    const before = calls();
    const second = await keyring.keysOf(tenantId);
    expect(calls() - before).toBe(6);
    expect(second).not.toBe(first);
    expect(second.indexHmac('a', 'b')).toBe(first.indexHmac('a', 'b'));
    await clock.advance(MINUTE);
    expect(() => first.indexHmac('a', 'b')).toThrow(expect.objectContaining({ code: 'KMS_UNAVAILABLE' }));
    expect(second.indexHmac('a', 'b')).toHaveLength(43);
  });

  it('wipes the secrets after five minutes though nobody asks, and every use then is refused', async () => {
    const { keyring, clock, opened } = fixture;
    const keys = await keyring.keysOf(tenantId);
    const sealed = keys.sealText(location, 'text');
    const secrets = opened.slice();
    expect(secrets).toHaveLength(6);
    // The three seeds are in handles and wiped already; the three roots are in use.
    expect(secrets.filter(isWiped)).toHaveLength(3);
    await clock.advance(5 * MINUTE - 1);
    expect(secrets.filter(isWiped)).toHaveLength(3);
    await clock.advance(1);
    expect(secrets.filter(isWiped)).toHaveLength(6);
    const uses: (() => unknown)[] = [
      () => keys.signingKeyAt(0),
      () => keys.macKeyOf(createId('clientKey')),
      () => keys.auditHeadKey(),
      () => keys.checkpointSigner(),
      () => keys.sealText(location, 'text'),
      () => keys.openText(location, sealed),
      () => keys.indexHmac('a', 'b'),
      () => keys.idempotencyKey(['a']),
    ];
    for (const use of uses) expect(use).toThrow(expect.objectContaining({ code: 'KMS_UNAVAILABLE' }));
    const nothing = new Uint8Array(0);
    await expect(keys.openVault(1, nothing, nothing, nothing)).rejects.toMatchObject({
      code: 'KMS_UNAVAILABLE',
    });
  });

  it('keeps no more tenants than it may, and gives those who work a minute to finish', async () => {
    const { store, kms, suite, clock } = fixture;
    await using keyring = openKeyring({ store, kms, suite, clock, maxTenants: 2 });
    const [a, b, c] = [tenantId, await fixture.createTenant(), await fixture.createTenant()] as const;
    const keysOfA = await keyring.keysOf(a);
    await keyring.keysOf(b);
    await keyring.keysOf(a);
    const keysOfB = await keyring.keysOf(b);
    await keyring.keysOf(c);
    const before = calls();
    expect(await keyring.keysOf(b)).toBe(keysOfB);
    expect(calls()).toBe(before);
    expect(keysOfA.auditHeadKey()).toHaveLength(64);
    await clock.advance(MINUTE);
    expect(() => keysOfA.auditHeadKey()).toThrow(expect.objectContaining({ code: 'KMS_UNAVAILABLE' }));
    await keyring.keysOf(a);
    expect(calls() - before).toBe(6);
  });

  it('forgets an outage: all who wait hear of it, and the next one is served', async () => {
    const { server, keyring } = fixture;
    server.failNext('throttle', Number.POSITIVE_INFINITY);
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => keyring.keysOf(tenantId)));
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'KMS_UNAVAILABLE' } });
    }
    server.heal();
    expect((await keyring.keysOf(tenantId)).tenantId).toBe(tenantId);
  });

  it('wipes what it got where one of the calls fails', async () => {
    const { server, keyring, opened, dataKeys, store } = fixture;
    const arn = server.createKey();
    const own = await fixture.createTenant(arn);
    await store.withSystem('tenant-administration', (tx) =>
      tx
        .updateTable('tenant_secrets')
        .set({ kms_key_ref: server.createKey() })
        .where('tenant_id', '=', own)
        .where('purpose', '=', 'storage')
        .execute(),
    );
    await expect(keyring.keysOf(own)).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(opened).toHaveLength(5);
    expect([...opened, ...dataKeys].every(isWiped)).toBe(true);
  });

  it('lets one caller give up without disturbing the others', async () => {
    const { server, keyring } = fixture;
    const before = calls();
    server.failNext('hang', Number.POSITIVE_INFINITY);
    const caller = new AbortController();
    const reason = new Error('the caller went away');
    const one = keyring.keysOf(tenantId, { signal: caller.signal });
    const other = keyring.keysOf(tenantId);
    await server.arrived(before + 6);
    caller.abort(reason);
    await expect(one).rejects.toBe(reason);
    server.heal();
    await fixture.clock.advance(3_000);
    expect((await other).tenantId).toBe(tenantId);
  });

  it('refuses to be asked inside a transaction, also for what it has in memory', async () => {
    const { keyring, store, kms, suite } = fixture;
    await keyring.keysOf(tenantId);
    await store.withTenant(tenantId, async () => {
      await expect(keyring.keysOf(tenantId)).rejects.toThrow('inside a transaction');
      await expect(keyring.createDataKey(tenantId, 'credential')).rejects.toThrow('inside a transaction');
      const input = { kms, suite, tenantId, keyRef: null, now: new Date() };
      await expect(prepareTenantSecrets(input)).rejects.toThrow('inside a transaction');
    });
  });

  it('knows no keys of a tenant that does not exist', async () => {
    await expect(fixture.keyring.keysOf(createId('tenant'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it("wraps under a tenant's own KMS key, and is cut off with that key alone", async () => {
    const { server, keyring } = fixture;
    const arn = server.createKey();
    const own = await fixture.createTenant(arn);
    expect((await keyring.keysOf(own)).kmsKeyRef).toBe(arn);
    server.setKeyState(arn, 'disabled');
    await fixture.clock.advance(5 * MINUTE);
    await expect(keyring.keysOf(own)).rejects.toMatchObject({ code: 'KMS_UNAVAILABLE' });
    expect((await keyring.keysOf(tenantId)).kmsKeyRef).toBeNull();
  });

  it.each([
    'sealed',
    'encrypted_data_key',
  ])('opens no secret of which a bit of "%s" was changed', async (column) => {
    const purposes = ['vault', 'envelope-signing', 'audit-signing', 'mac-root', 'storage', 'index'];
    for (const purpose of purposes) {
      const flip = () =>
        fixture.store.withSystem('tenant-administration', (tx) =>
          sql`UPDATE tenant_secrets
              SET ${sql.ref(column)} = set_bit(${sql.ref(column)}, length(${sql.ref(column)}) * 4, 1 - get_bit(${sql.ref(column)}, length(${sql.ref(column)}) * 4))
              WHERE tenant_id = ${tenantId} AND purpose = ${purpose}`.execute(tx),
        );
      await flip();
      await expect(fixture.keyring.keysOf(tenantId)).rejects.toMatchObject({ code: 'INTERNAL' });
      await flip();
    }
    await fixture.keyring.keysOf(tenantId);
  });

  const alterations: readonly (readonly [string, string, string])[] = [
    [
      'a secret moved to another version',
      `UPDATE tenant_secrets SET version = 2 WHERE purpose = 'storage'`,
      'INTERNAL',
    ],
    ['a secret that is missing', `DELETE FROM tenant_secrets WHERE purpose = 'index'`, 'INTERNAL'],
    [
      'a secret in the place of another',
      `WITH gone AS (DELETE FROM tenant_secrets WHERE purpose = 'storage' AND $own)
       UPDATE tenant_secrets SET purpose = 'storage', version = 2 WHERE purpose = 'audit-signing'`,
      'INTERNAL',
    ],
    [
      'another KMS key',
      `UPDATE tenant_secrets SET kms_key_ref = kms_key_ref || '0' WHERE true`,
      'KMS_UNAVAILABLE',
    ],
    [
      'another public signing key',
      'UPDATE signing_keys SET public_key = set_bit(public_key, 100, 1 - get_bit(public_key, 100)) WHERE true',
      'INTERNAL',
    ],
    ['another kid', 'UPDATE signing_keys SET kid = reverse(kid) WHERE true', 'INTERNAL'],
    ['another version of the signing key', 'UPDATE signing_keys SET version = 2 WHERE true', 'INTERNAL'],
    ['no signing key', 'DELETE FROM signing_keys WHERE true', 'INTERNAL'],
  ];
  it.each(alterations)('notices %s', async (_, statement, code) => {
    const own = `tenant_id = '${tenantId}'`;
    await fixture.store.withSystem('tenant-administration', (tx) =>
      sql.raw(`${statement.replaceAll('$own', own)} AND ${own}`).execute(tx),
    );
    await expect(fixture.keyring.keysOf(tenantId)).rejects.toMatchObject({ code });
  });

  it("does not open one tenant's secrets as another's", async () => {
    const other = await fixture.createTenant();
    await fixture.store.withSystem('tenant-administration', async (tx) => {
      await sql`DELETE FROM tenant_secrets WHERE tenant_id = ${other} AND purpose = 'mac-root'`.execute(tx);
      await sql`UPDATE tenant_secrets SET tenant_id = ${other}
        WHERE tenant_id = ${tenantId} AND purpose = 'mac-root'`.execute(tx);
    });
    await expect(fixture.keyring.keysOf(other)).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  it('wipes everything when it is disposed, twice if need be, and refuses use afterwards', async () => {
    const { keyring, opened } = fixture;
    await keyring.keysOf(tenantId);
    await keyring.createDataKey(tenantId, 'credential');
    await keyring[Symbol.asyncDispose]();
    await keyring[Symbol.asyncDispose]();
    expect(opened.every(isWiped)).toBe(true);
    expect(fixture.dataKeys.every(isWiped)).toBe(true);
    expect(fixture.clock.waiting).toBe(0);
    await expect(keyring.keysOf(tenantId)).rejects.toThrow('disposed');
    await expect(keyring.keysOf(`ten_${randomUUID()}`)).rejects.toThrow('disposed');
  });
});
