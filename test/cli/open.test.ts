import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createId, encodeBase64, encodeUtf8 } from '../../src/base/index.ts';
import { createKeyFile, encodeKeyFile, importKeys } from '../../src/client/index.ts';
import {
  encodeSigningKeyJwk,
  type HybridCryptoEnvelope,
  type Purpose,
  type SigningKey,
  sealEnvelope,
} from '../../src/envelope/index.ts';
import { createNodeSuite } from '../../src/envelope/node.ts';
import { type Outcome, runHere } from './program.ts';

const suite = createNodeSuite();
const fresh = createKeyFile(suite);
const { kem } = importKeys(suite, fresh);
const macKeyBytes = suite.randomBytes(64);
const signingKey = suite.importSigningKey(suite.randomBytes(32));
const tenantId = createId('tenant');
const keyId = createId('clientKey');
const folder = mkdtempSync(join(tmpdir(), 'sealdesk-open-'));
const keyFile = join(folder, 'key.json');
const envelopeFile = join(folder, 'envelope.json');

interface Variant {
  readonly contentType?: string;
  readonly recipientKeyId?: string;
  readonly purpose?: Purpose;
  readonly signedBy?: SigningKey;
}

async function seal(plaintext: string | Uint8Array, variant: Variant = {}): Promise<HybridCryptoEnvelope> {
  const { envelope } = await sealEnvelope(suite, {
    claims: {
      purpose: variant.purpose ?? 'proxy.result',
      tenant_id: tenantId,
      recipient_key_id: variant.recipientKeyId ?? keyId,
      audit_event_id: createId('auditEvent'),
      issued_at: 1_795_000_000,
      content_type: variant.contentType ?? 'application/json',
    },
    plaintext: typeof plaintext === 'string' ? encodeUtf8(plaintext) : plaintext,
    recipient: kem,
    signingKey: variant.signedBy ?? signingKey,
    macKey: suite.importMacKey(macKeyBytes),
  });
  return envelope;
}

function open(value: unknown, ...options: string[]): Promise<Outcome> {
  writeFileSync(envelopeFile, typeof value === 'string' ? value : JSON.stringify(value));
  return runHere(['open', envelopeFile, '--key', keyFile, ...options]);
}

beforeAll(() => {
  const pin = {
    kid: signingKey.kid,
    publicKey: signingKey.publicKey,
    status: 'ACTIVE',
    notBefore: null,
    notAfter: null,
  } as const;
  const welcomed = {
    ...fresh,
    gateway: 'http://localhost:4000',
    tenant_id: tenantId,
    key_id: keyId,
    mac_key: encodeBase64(macKeyBytes),
    signing_keys: [encodeSigningKeyJwk(pin)],
  };
  writeFileSync(keyFile, encodeKeyFile(welcomed), { mode: 0o600 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('sealdesk open', () => {
  it('prints the content of an envelope, JSON indented', async () => {
    expect(await open(await seal('{"a":[1,"ü"]}'))).toEqual({
      code: 0,
      stdout: '{\n  "a": [\n    1,\n    "ü"\n  ]\n}\n',
      stderr: '',
    });
  });

  it('prints the exact bytes with --raw, and what is not JSON as it is', async () => {
    expect((await open(await seal('{"a":1.0}'), '--raw')).stdout).toBe('{"a":1.0}');
    expect((await open(await seal('plain', { contentType: 'text/plain' }))).stdout).toBe('plain');
  });

  it('prints the protected header with --header', async () => {
    const { stdout } = await open(await seal('{}'), '--header');
    expect(JSON.parse(stdout)).toMatchObject({ v: 1, tenant_id: tenantId, recipient_key_id: keyId });
  });

  it('takes a GraphQL answer and standard input', async () => {
    const envelope = await seal('{"a":1}');
    const answer = { data: { proxyOutbound: { auditEventId: 'x', envelope } }, extensions: {} };
    expect((await open(answer, '--raw')).stdout).toBe('{"a":1}');
    const input = await runHere(['open', '-', '--key', keyFile, '--raw'], JSON.stringify(envelope));
    expect(input).toEqual({ code: 0, stdout: '{"a":1}', stderr: '' });
  });

  it('shows no control character that a terminal would obey', async () => {
    const { stdout } = await open(await seal(JSON.stringify({ subject: '\u001b[2J\u009b2J\u007f' })));
    expect(stdout).toBe('{\n  "subject": "\\u001b[2J\\u009b2J\\u007f"\n}\n');
    expect(JSON.parse(stdout)).toEqual({ subject: '\u001b[2J\u009b2J\u007f' });
  });

  it('escapes what hides text or turns its direction, so that the JSON stays the same', async () => {
    const subject = '\u202e\u2066a\u200b\u{e0041}\ufeff';
    const { stdout } = await open(await seal(JSON.stringify({ subject })));
    expect(stdout).toBe('{\n  "subject": "\\u202e\\u2066a\\u200b\\udb40\\udc41\\ufeff"\n}\n');
    expect(JSON.parse(stdout)).toEqual({ subject });
  });

  it('shows other text without what a terminal would obey, and its exact bytes with --raw', async () => {
    const text = 'a\tb\r\n\u001b]0;x\u0007\u009b2J\u202e';
    const envelope = await seal(text, { contentType: 'text/plain' });
    expect((await open(envelope)).stdout).toBe('a\tb\n\ufffd]0;x\ufffd\ufffd2J\ufffd');
    expect((await open(envelope, '--raw')).stdout).toBe(text);
    expect((await runHere(['open', '--help'])).stdout).toMatch(/--raw +print the exact bytes/);
  });

  it('does not print what is no text unless asked for its bytes', async () => {
    const envelope = await seal(Uint8Array.of(0xff, 0xfe), { contentType: 'application/octet-stream' });
    expect(await open(envelope)).toEqual({
      code: 1,
      stdout: '',
      stderr: 'sealdesk: The content (application/octet-stream) is not text. Print its bytes with --raw.\n',
    });
  });

  it('refuses every kind of wrong envelope with the same line, and prints nothing of it', async () => {
    const good = await seal('{"secret":"customer text"}');
    const flipped = (text: string): string =>
      text.startsWith('A') ? `B${text.slice(1)}` : `A${text.slice(1)}`;
    const { encrypted, signature } = good;
    const wrong: Record<string, unknown> = {
      ciphertext: {
        ...good,
        encrypted: { ...encrypted, ciphertext_data: flipped(encrypted.ciphertext_data) },
      },
      enc: { ...good, encrypted: { ...encrypted, ciphertext_kem: flipped(encrypted.ciphertext_kem) } },
      nonce: { ...good, encrypted: { ...encrypted, nonce: flipped(encrypted.nonce) } },
      header: { ...good, encrypted: { ...encrypted, protected: flipped(encrypted.protected) } },
      'ML-DSA signature': {
        ...good,
        signature: { ...signature, pqc_signature: flipped(signature.pqc_signature) },
      },
      'HMAC signature': {
        ...good,
        signature: { ...signature, hmac_signature: flipped(signature.hmac_signature) },
      },
      'another member': { ...good, more: 1 },
      'another event': { ...good, audit_event_id: createId('auditEvent') },
      'another recipient': await seal('{}', { recipientKeyId: createId('clientKey') }),
      'an unknown signing key': await seal('{}', { signedBy: suite.importSigningKey(suite.randomBytes(32)) }),
      'a welcome': await seal('{}', { purpose: 'key.welcome' }),
      'no envelope': { hello: 'world' },
      'no object': [],
    };
    for (const [name, value] of Object.entries(wrong)) {
      expect({ name, ...(await open(value)) }).toEqual({
        name,
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/^sealdesk: The envelope was not accepted: [^\n]+\n$/),
      });
    }
  });

  it('says what the gateway refused where the file holds its refusal', async () => {
    const rest = { success: false, error: { code: 'FORBIDDEN', message: 'Not\u001b for you.' } };
    expect(await open(rest)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/Not\ufffd for you\. \(FORBIDDEN\)/),
    });
    const graph = { errors: [{ message: 'No.', extensions: { code: 'CONFLICT' } }], data: null };
    expect((await open(graph)).stderr).toMatch(/No\. \(CONFLICT\)/);
  });

  it('says in one line what is wrong with its files', async () => {
    const missing = await runHere(['open', join(folder, 'none.json'), '--key', keyFile]);
    expect(missing).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/none\.json: there is no such/),
    });
    expect(await open('customer text')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/is not JSON\.\n$/),
    });
    const freshFile = join(folder, 'fresh.json');
    writeFileSync(freshFile, encodeKeyFile(fresh), { mode: 0o600 });
    writeFileSync(envelopeFile, JSON.stringify(await seal('{}')));
    const unwelcomed = await runHere(['open', envelopeFile, '--key', freshFile]);
    expect(unwelcomed).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/register it/) });
  });
});
