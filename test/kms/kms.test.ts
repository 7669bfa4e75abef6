/** What both implementations of the KMS port promise. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Bytes } from '../../src/base/index.ts';
import { type Kms, openAwsKms, openLocalKms } from '../../src/kms/index.ts';
import { openKmsServer } from '../support/kms-server.ts';

interface Opened extends AsyncDisposable {
  readonly kms: Kms;
  /** A well-formed reference to a key that the service does not have. */
  readonly unknownKeyRef: string;
}

const implementations: Readonly<Record<string, () => Promise<Opened>>> = {
  async local() {
    await using resources = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'sealdesk-kms-'));
    resources.defer(() => rm(folder, { recursive: true }));
    const kms = resources.use(await openLocalKms({ file: join(folder, 'kms.key'), createIfMissing: true }));
    const kept = resources.move();
    return {
      kms,
      unknownKeyRef: `local:${'0'.repeat(32)}`,
      [Symbol.asyncDispose]: () => kept.disposeAsync(),
    };
  },
  async aws() {
    await using resources = new AsyncDisposableStack();
    const server = resources.use(await openKmsServer());
    for (const [name, value] of Object.entries(server.environment)) vi.stubEnv(name, value);
    const kms = resources.use(
      await openAwsKms({ endpoint: server.endpoint, defaultKeyArn: server.defaultKeyArn }),
    );
    const kept = resources.move();
    return {
      kms,
      unknownKeyRef: 'arn:aws:kms:eu-test-1:111122223333:key/00000000-0000-0000-0000-000000000000',
      [Symbol.asyncDispose]: () => kept.disposeAsync(),
    };
  },
};

const context = { tenant: 'ten_a', purpose: 'vault' };

describe.each(Object.entries(implementations))('%s KMS', (name, open) => {
  let opened: Opened;
  let kms: Kms;

  beforeEach(async () => {
    opened = await open();
    kms = opened.kms;
  });
  afterEach(async () => {
    await opened[Symbol.asyncDispose]();
    vi.unstubAllEnvs();
  });

  it('says what it is', () => {
    expect(kms.name).toBe(name);
  });

  it('unwraps the 32 bytes that it wrapped, under the key that it named', async () => {
    const { plaintext, encrypted, keyRef } = await kms.generateDataKey({ keyRef: null, context });
    expect(plaintext).toHaveLength(32);
    expect(await kms.decryptDataKey({ encrypted, keyRef, context })).toEqual(plaintext);
  });

  it('takes the default key by its own name too', async () => {
    const { keyRef } = await kms.describeKey({ keyRef: null });
    expect((await kms.generateDataKey({ keyRef, context })).keyRef).toBe(keyRef);
    expect(await kms.describeKey({ keyRef })).toEqual({ keyRef, enabled: true });
  });

  it('makes another key each time, and does not show it in what is stored', async () => {
    const first = await kms.generateDataKey({ keyRef: null, context });
    const second = await kms.generateDataKey({ keyRef: null, context });
    expect(first.plaintext).not.toEqual(second.plaintext);
    expect(first.encrypted).not.toEqual(second.encrypted);
    expect(Buffer.from(first.encrypted).includes(first.plaintext)).toBe(false);
  });

  it('gives buffers of their own, which the caller may wipe', async () => {
    const { plaintext, encrypted, keyRef } = await kms.generateDataKey({ keyRef: null, context });
    const expected = Buffer.from(plaintext);
    plaintext.fill(0);
    const first = await kms.decryptDataKey({ encrypted, keyRef, context });
    expect(first.byteLength).toBe(first.buffer.byteLength);
    first.fill(0);
    expect(Buffer.from(await kms.decryptDataKey({ encrypted, keyRef, context }))).toEqual(expected);
  });

  it.each([
    ['tenant', { ...context, tenant: 'ten_b' }],
    ['purpose', { ...context, purpose: 'storage' }],
  ])('does not unwrap for another %s, and calls that no outage', async (_, other) => {
    const { encrypted, keyRef } = await kms.generateDataKey({ keyRef: null, context });
    await expect(kms.decryptDataKey({ encrypted, keyRef, context: other })).rejects.toMatchObject({
      code: 'INTERNAL',
      retryable: false,
    });
  });

  it('does not unwrap a data key of which any one bit was changed', async () => {
    const { encrypted, keyRef } = await kms.generateDataKey({ keyRef: null, context });
    for (let index = 0; index < encrypted.length; index += 1) {
      const changed = new Uint8Array(encrypted);
      changed[index] = (changed[index] as number) ^ (1 << (index % 8));
      await expect(kms.decryptDataKey({ encrypted: changed, keyRef, context })).rejects.toMatchObject({
        code: 'INTERNAL',
      });
    }
  });

  it.each([0, 1, 40, 6145])('does not unwrap %i bytes of something else', async (length) => {
    const { keyRef } = await kms.describeKey({ keyRef: null });
    const encrypted: Bytes = new Uint8Array(length);
    await expect(kms.decryptDataKey({ encrypted, keyRef, context })).rejects.toMatchObject({
      code: 'INTERNAL',
    });
  });

  it('is unavailable for a key that it does not have, and does not name it', async () => {
    const { encrypted } = await kms.generateDataKey({ keyRef: null, context });
    const keyRef = opened.unknownKeyRef;
    const attempts = [
      kms.generateDataKey({ keyRef, context }),
      kms.decryptDataKey({ encrypted, keyRef, context }),
      kms.describeKey({ keyRef }),
    ];
    for (const outcome of await Promise.allSettled(attempts)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'KMS_UNAVAILABLE' } });
      expect(outcome.status === 'rejected' && outcome.reason.message).not.toContain(keyRef);
    }
  });

  it('refuses a context that is empty or says more than it should', async () => {
    const wrong = [
      { tenant: '', purpose: 'vault' },
      { tenant: 'ten_a', purpose: 'x'.repeat(129) },
      { ...context, more: 'of it' },
    ];
    for (const bad of wrong) {
      await expect(kms.generateDataKey({ keyRef: null, context: bad })).rejects.toThrow(TypeError);
    }
  });

  it('ends with the reason of a caller that gave up', async () => {
    const reason = new Error('the caller went away');
    const signal = AbortSignal.abort(reason);
    await expect(kms.generateDataKey({ keyRef: null, context, signal })).rejects.toBe(reason);
    await expect(kms.describeKey({ keyRef: null, signal })).rejects.toBe(reason);
  });

  it('may be disposed twice and refuses use afterwards', async () => {
    await kms[Symbol.asyncDispose]();
    await kms[Symbol.asyncDispose]();
    await expect(kms.generateDataKey({ keyRef: null, context })).rejects.toThrow('disposed');
  });
});
