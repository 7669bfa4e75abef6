import { beforeAll, describe, expect, it } from 'vitest';
import {
  acceptWelcome,
  createEnvelopeOpener,
  createKeyFile,
  EnvelopeOpenError,
  encodeKeyFile,
  fingerprint,
  importKeys,
  isWelcomed,
  MAX_KEY_FILE_TEXT,
  openWithKeyFile,
  parseKeyFile,
  parseKeyFileText,
  publicJwkSet,
  type WelcomedKeyFile,
} from '../../src/client/index.ts';
import { createNobleSuite } from '../../src/envelope/noble.ts';
import { createNodeSuite } from '../../src/envelope/node.ts';
import { createFakeGateway, type FakeGateway } from './fake-gateway.ts';

const suite = createNodeSuite();
const fresh = createKeyFile(suite);
let gateway: FakeGateway;
let welcomed: WelcomedKeyFile;

beforeAll(async () => {
  gateway = createFakeGateway(suite);
  ({ keyFile: welcomed } = await acceptWelcome(
    suite,
    fresh,
    await gateway.welcome(publicJwkSet(suite, fresh)),
  ));
});

describe('a key file', () => {
  it('fresh or welcomed survives being written and read, under each suite', () => {
    for (const reader of [suite, createNobleSuite()]) {
      for (const file of [fresh, welcomed]) {
        expect(parseKeyFileText(reader, encodeKeyFile(file))).toEqual(file);
        expect(isWelcomed(parseKeyFile(reader, file))).toBe(file === welcomed);
      }
    }
  });

  it('has its members in the order of the format', () => {
    expect(Object.keys(JSON.parse(encodeKeyFile(welcomed)))).toEqual([
      'version',
      'keys',
      'gateway',
      'tenant_id',
      'key_id',
      'mac_key',
      'signing_keys',
    ]);
  });

  it('gives a public half without private members', () => {
    const text = JSON.stringify(publicJwkSet(suite, welcomed));
    expect(text).not.toContain('priv');
    for (const { priv } of fresh.keys) expect(text).not.toContain(priv);
  });

  it.each<[string, (file: WelcomedKeyFile) => unknown, string]>([
    ['nothing', () => null, 'the file'],
    ['a list', () => [], 'the file'],
    ['no version', ({ version, ...rest }) => rest, 'version'],
    ['another version', (file) => ({ ...file, version: 2 }), 'version'],
    ['no keys', ({ keys, ...rest }) => rest, 'keys'],
    ['the keys exchanged', (file) => ({ ...file, keys: [file.keys[0], file.keys[0]] }), 'keys'],
    [
      'a key with the seed of another',
      (file) => ({ ...file, keys: [{ ...file.keys[0], priv: 'A'.repeat(86) }, file.keys[1]] }),
      'keys[0].priv',
    ],
    ['half a welcome', ({ mac_key, ...rest }) => rest, 'mac_key'],
    ['an unknown member', (file) => ({ ...file, note: '' }), 'the file'],
    ['an address that is none', (file) => ({ ...file, gateway: 'sealdesk.example' }), 'gateway'],
    ['a tenant that is none', (file) => ({ ...file, tenant_id: file.key_id }), 'tenant_id'],
    ['a key id that is none', (file) => ({ ...file, key_id: file.tenant_id }), 'key_id'],
    ['a short MAC key', (file) => ({ ...file, mac_key: file.mac_key.slice(4) }), 'mac_key'],
    ['a MAC key that is no text', (file) => ({ ...file, mac_key: 1 }), 'mac_key'],
    ['no pins', (file) => ({ ...file, signing_keys: [] }), 'signing_keys'],
    [
      'a pin twice',
      (file) => ({ ...file, signing_keys: [...file.signing_keys, ...file.signing_keys] }),
      'signing_keys',
    ],
    [
      'a pin of the wrong kind',
      (file) => ({ ...file, signing_keys: [{ ...file.signing_keys[0], status: 'GOOD' }] }),
      'signing_keys',
    ],
  ])('with %s is refused, naming the place', (_name, change, path) => {
    expect(() => parseKeyFile(suite, change(welcomed))).toThrowError(
      expect.objectContaining({
        code: 'VALIDATION_FAILED',
        details: { fields: [expect.objectContaining({ path })] },
      }),
    );
  });

  it('that is no JSON is refused without a word of its content', () => {
    const text = encodeKeyFile(fresh).slice(0, -4);
    try {
      parseKeyFileText(suite, text);
      expect.unreachable();
    } catch (error) {
      const told = `${error} ${JSON.stringify(error)} ${error instanceof Error ? error.cause : ''}`;
      expect(told).toContain('must be JSON');
      for (const { priv } of fresh.keys) expect(told).not.toContain(priv.slice(0, 12));
    }
    expect(() => parseKeyFileText(suite, ' '.repeat(MAX_KEY_FILE_TEXT + 1))).toThrow('at most');
  });
});

describe('the fingerprint of a key', () => {
  it('is eight groups of four, the same from every suite, another for another key', () => {
    const { kem, sig } = importKeys(suite, fresh);
    const kids = { kem: kem.kid, sig: sig.kid };
    expect(fingerprint(suite, kids)).toMatch(/^(?:[0-9A-HJKMNP-TV-Z]{4}-){7}[0-9A-HJKMNP-TV-Z]{4}$/);
    expect(fingerprint(createNobleSuite(), kids)).toBe(fingerprint(suite, kids));
    expect(fingerprint(suite, { kem: sig.kid, sig: kem.kid })).not.toBe(fingerprint(suite, kids));
  });

  it('of known thumbprints is known', () => {
    expect(fingerprint(suite, { kem: 'a', sig: 'b' })).toBe('QHGP-1R02-FJWV-WGP1-TJ5F-X26N-5Y9P-CFF5');
  });
});

describe('opening with a key file', () => {
  it('opens what is sealed to it, with what is expected', async () => {
    const envelope = await gateway.seal('{"tickets":[]}');
    const opener = createEnvelopeOpener(suite, welcomed);
    expect([opener.keyId, opener.tenantId]).toEqual([gateway.keyId, gateway.tenantId]);
    const opened = await opener.open(envelope, { purposes: ['proxy.result'] });
    expect(new TextDecoder().decode(opened.plaintext)).toBe('{"tickets":[]}');
    await expect(opener.open(envelope, { purposes: ['credential'] })).rejects.toStrictEqual(
      new EnvelopeOpenError(),
    );
    await expect(opener.open(envelope, { client_nonce: 'A'.repeat(22) })).rejects.toStrictEqual(
      new EnvelopeOpenError(),
    );
  });

  it('opens nothing of another gateway', async () => {
    const impostor = createFakeGateway(suite);
    await impostor.welcome(publicJwkSet(suite, fresh));
    const envelope = await impostor.seal('{}');
    await expect(openWithKeyFile(suite, welcomed, envelope)).rejects.toStrictEqual(new EnvelopeOpenError());
  });

  it('says what to do where no gateway has welcomed the key', async () => {
    await expect(openWithKeyFile(suite, fresh, {})).rejects.toMatchObject({ code: 'CONFLICT' });
  });
});
