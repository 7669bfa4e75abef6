/** Each layer holds alone: what one of them would let through is refused by the other. */
import { describe, expect, it } from 'vitest';
import { concatBytes, createId, encodeCanonicalJson, encodeUtf8 } from '../../src/base/index.ts';
import { sealHpke } from '../../src/envelope/index.ts';
import { createNodeSuite } from '../../src/envelope/node.ts';
import { UnwrappedDataKey } from '../../src/vault/data-key.ts';
import { UnsealedTenantKeys } from '../../src/vault/tenant-keys.ts';
import { openTwice, sealTwice } from '../../src/vault/two-layers.ts';

const suite = createNodeSuite();
const here = { tenant: 'ten_a', credential: 'cred_a', type: 'api_key', version: 1 };
const there = { ...here, credential: 'cred_b' };
const secret = encodeUtf8('secret');

function createKeys(): UnsealedTenantKeys {
  const handle = suite.importSigningKey(suite.randomBytes(32));
  const { kid, publicKey } = handle;
  const id = createId('signingKey');
  return new UnsealedTenantKeys(suite, {
    tenantId: 'ten_a',
    kmsKeyRef: null,
    signingKeys: [{ id, kid, version: 1, publicKey, notBefore: new Date(), handle }],
    vaults: [{ version: 1, key: suite.importKemPrivateKey(suite.randomBytes(64)) }],
    audit: suite.randomBytes(32),
    macRoot: suite.randomBytes(32),
    storage: suite.randomBytes(32),
    index: suite.randomBytes(32),
  });
}

describe('the two layers around a secret', () => {
  const keys = createKeys();
  const dataKey = new UnwrappedDataKey(suite, suite.randomBytes(32));

  /** As `docs/keys.md` describes them, made by hand. */
  async function build(inner: typeof here, outer: typeof here, of = keys.vaultKey.recipient) {
    const { enc, ciphertext } = await sealHpke(suite, {
      recipient: of,
      info: encodeUtf8('sealdesk/vault/v1'),
      aad: encodeCanonicalJson(inner),
      plaintext: secret,
    });
    const aad = encodeCanonicalJson({ ...outer, vault_key: 1 });
    return { sealed: dataKey.seal(aad, concatBytes(enc, ciphertext)), vaultKeyVersion: 1 };
  }

  it('open together', async () => {
    expect(await openTwice(keys, dataKey, here, await build(here, here))).toEqual(secret);
    const sealed = await sealTwice(suite, keys.vaultKey, dataKey, here, secret);
    expect(await openTwice(keys, dataKey, here, { sealed, vaultKeyVersion: 1 })).toEqual(secret);
  });

  it('do not open where the inner one belongs elsewhere', async () => {
    const blob = await build(there, here);
    await expect(openTwice(keys, dataKey, here, blob)).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  it('do not open where the outer one belongs elsewhere', async () => {
    const blob = await build(here, there);
    await expect(openTwice(keys, dataKey, here, blob)).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  it('do not open where the inner one is for the vault key of another tenant', async () => {
    const blob = await build(here, here, createKeys().vaultKey.recipient);
    await expect(openTwice(keys, dataKey, here, blob)).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  it('do not open under another data key', async () => {
    const other = new UnwrappedDataKey(suite, suite.randomBytes(32));
    const blob = await build(here, here);
    await expect(openTwice(keys, other, here, blob)).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  it('do not open where the inner one is too short to be one', async () => {
    const aad = encodeCanonicalJson({ ...here, vault_key: 1 });
    for (const length of [0, 1, 1088, 1103]) {
      const blob = { sealed: dataKey.seal(aad, new Uint8Array(length)), vaultKeyVersion: 1 };
      await expect(openTwice(keys, dataKey, here, blob)).rejects.toMatchObject({ code: 'INTERNAL' });
    }
  });
});

describe('a data key', () => {
  it('seals 2^20 records and not one more', () => {
    const quick = {
      ...suite,
      randomBytes: () => new Uint8Array(12),
      sealAes256Gcm: () => new Uint8Array(16),
    };
    const key = new UnwrappedDataKey(quick, new Uint8Array(32));
    const nothing = new Uint8Array(0);
    for (let count = 0; count < 2 ** 20; count += 1) key.seal(nothing, nothing);
    expect(() => key.seal(nothing, nothing)).toThrow(RangeError);
  });
});
