/** The keys of checkpoints as anybody can fetch them, and readiness where a log is stopped. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bytes, createId, encodeBase64Url, encodeUtf8 } from '../../src/base/index.ts';
import { parseSignedNote, parseVerifierKey } from '../../src/tlog/index.ts';
import { openTestGateway, type TestGateway } from '../support/gateway.ts';
import { createTestTenant, type TestTenant } from '../support/tenant.ts';

const sha256 = (data: Uint8Array): Bytes => Uint8Array.from(createHash('sha256').update(data).digest());

describe('audit-keys.json', () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  beforeAll(async () => {
    gateway = await openTestGateway();
    tenant = await createTestTenant(gateway);
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  const get = (path: string) => gateway.send(path, { method: 'GET' });

  it('tells anybody the keys that verify a checkpoint of the log', async () => {
    const answer = await get(`/.well-known/sealdesk/${tenant.id}/audit-keys.json`);
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'public, max-age=300',
      'access-control-allow-origin': '*',
    });
    const origin = `sealdesk/${tenant.id}`;
    expect(answer.json).toEqual({
      tenant_id: tenant.id,
      logs: [{ epoch: 1, origin, verifier_keys: [expect.any(String), expect.any(String)] }],
    });
    const verifiers = answer.json.logs[0].verifier_keys.map((text: string) => parseVerifierKey(sha256, text));
    expect(verifiers).toMatchObject([
      { name: origin, type: 'ED25519' },
      { name: origin, type: 'ML_DSA_65' },
    ]);
    const sealed = await gateway.services.sealCheckpoint(tenant.id);
    const note = parseSignedNote(sealed?.note ?? '');
    expect(note?.signatures.map(({ keyId }) => keyId)).toEqual(
      verifiers.map(({ keyId }: { keyId: Bytes }) => keyId),
    );
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: encodeBase64Url(verifiers[0].publicKey) };
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const signature = note?.signatures[0]?.signature ?? new Uint8Array();
    expect(verify(null, encodeUtf8(note?.text ?? ''), key, signature)).toBe(true);
  });

  it('is there for no other tenant, method or name', async () => {
    expect((await get(`/.well-known/sealdesk/${createId('tenant')}/audit-keys.json`)).status).toBe(404);
    expect((await get('/.well-known/sealdesk/ten_x/audit-keys.json')).status).toBe(404);
    expect((await get(`/.well-known/sealdesk/${tenant.id}/audit-key.json`)).status).toBe(404);
    expect((await gateway.send(`/.well-known/sealdesk/${tenant.id}/audit-keys.json`)).status).toBe(400);
  });

  it('stays there while an alarm stops the log and the gateway is not ready', async () => {
    await gateway.store.withSystem('tenant-administration', (tx) =>
      sql`INSERT INTO audit_alarms (tenant_id, epoch, kind) VALUES (${tenant.id}, 1, 'ROLLED_BACK')`.execute(
        tx,
      ),
    );
    const ready = await get('/readyz');
    expect(ready.status).toBe(503);
    expect(ready.json).toEqual({ status: 'not ready', database: true, keys: true, audit: false });
    expect((await get(`/.well-known/sealdesk/${tenant.id}/audit-keys.json`)).status).toBe(200);
    const refused = await gateway.graphql('{ viewer { tenant { id } } }', { apiKey: tenant.keys.admin });
    expect(refused.json.errors[0].extensions.code).toBe('AUDIT_UNAVAILABLE');
  });
});
