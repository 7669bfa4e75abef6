import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isSealdeskError } from '../../src/base/index.ts';
import { type Kms, type OpenAwsKmsOptions, openAwsKms } from '../../src/kms/index.ts';
import { type KmsFault, type KmsServer, openKmsServer } from '../support/kms-server.ts';
import { ManualClock } from './manual-clock.ts';

const context = { tenant: 'ten_a', purpose: 'vault' };
/** Longer than any back-off, shorter than any time limit in these tests. */
const PATIENCE_MS = 2_500;

describe('AWS KMS in trouble', () => {
  let server: KmsServer;
  let clock: ManualClock;
  let kms: Kms;

  const open = (options: Partial<OpenAwsKmsOptions> = {}): Promise<Kms> =>
    openAwsKms({ endpoint: server.endpoint, defaultKeyArn: server.defaultKeyArn, clock, ...options });

  beforeEach(async () => {
    server = await openKmsServer();
    for (const [name, value] of Object.entries(server.environment)) vi.stubEnv(name, value);
    clock = new ManualClock(PATIENCE_MS);
    kms = await open();
  });
  afterEach(async () => {
    await kms[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    vi.unstubAllEnvs();
  });

  const generate = (keyRef: string | null = null) => kms.generateDataKey({ keyRef, context });

  it('sends the context, the key and what kind of data key is wanted', async () => {
    const { encrypted, keyRef } = await generate();
    await kms.decryptDataKey({ encrypted, keyRef, context });
    expect(server.requests).toEqual([
      {
        operation: 'GenerateDataKey',
        keyId: server.defaultKeyArn,
        encryptionContext: context,
        outcome: 'ok',
      },
      { operation: 'Decrypt', keyId: server.defaultKeyArn, encryptionContext: context, outcome: 'ok' },
    ]);
  });

  it("uses a tenant's own key where it has one, and no other key unwraps it", async () => {
    const own = server.createKey();
    const { encrypted, keyRef } = await generate(own);
    expect(keyRef).toBe(own);
    await expect(
      kms.decryptDataKey({ encrypted, keyRef: server.defaultKeyArn, context }),
    ).rejects.toMatchObject({
      code: 'INTERNAL',
      cause: { name: 'IncorrectKeyException' },
    });
  });

  it.each<KmsFault>([
    'throttle',
    'internal',
    'unavailable',
    'drop',
  ])('gets over a %s that passes, with growing random pauses', async (fault) => {
    server.failNext(fault, 3);
    expect((await generate()).plaintext).toHaveLength(32);
    expect(server.requests).toHaveLength(4);
    expect(clock.pauses).toHaveLength(3);
    for (const [index, pause] of clock.pauses.entries()) {
      expect(pause).toBeGreaterThanOrEqual(0);
      expect(pause).toBeLessThanOrEqual(100 * 2 ** index);
    }
  });

  it.each<KmsFault>([
    'throttle',
    'internal',
    'unavailable',
    'drop',
  ])('is unavailable after four tries of a %s that stays, and works at once when it is over', async (fault) => {
    server.failNext(fault, Number.POSITIVE_INFINITY);
    const error = await generate().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'KMS_UNAVAILABLE', retryable: true, cause: expect.any(Error) });
    expect(server.requests).toHaveLength(4);
    server.heal();
    await generate();
    expect(server.requests).toHaveLength(5);
  });

  it.each([
    ['disabled', 'DisabledException'],
    ['denied', 'AccessDeniedException'],
    ['pending-deletion', 'KMSInvalidStateException'],
  ] as const)('does not repeat itself for a key that is %s, nor remember it', async (state, cause) => {
    const { encrypted, keyRef, plaintext } = await generate();
    server.setKeyState(keyRef, state);
    await expect(kms.decryptDataKey({ encrypted, keyRef, context })).rejects.toMatchObject({
      code: 'KMS_UNAVAILABLE',
      cause: { name: cause },
    });
    expect(server.requests).toHaveLength(2);
    server.setKeyState(keyRef, 'enabled');
    expect(await kms.decryptDataKey({ encrypted, keyRef, context })).toEqual(plaintext);
  });

  it('says of a disabled key that it is disabled', async () => {
    server.setKeyState(server.defaultKeyArn, 'disabled');
    expect(await kms.describeKey({ keyRef: null })).toEqual({
      keyRef: server.defaultKeyArn,
      enabled: false,
    });
  });

  it('does not repeat itself where the context is wrong', async () => {
    const { encrypted, keyRef } = await generate();
    const other = { ...context, tenant: 'ten_b' };
    await expect(kms.decryptDataKey({ encrypted, keyRef, context: other })).rejects.toMatchObject({
      code: 'INTERNAL',
    });
    expect(server.requests).toHaveLength(2);
  });

  it('gives up each try that hangs after its own time', async () => {
    await kms[Symbol.asyncDispose]();
    kms = await open({ totalTimeout: 30_000 });
    server.failNext('hang', Number.POSITIVE_INFINITY);
    const outcome = generate().catch((reason: unknown) => reason);
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      await server.arrived(attempt);
      await clock.advance(3_000);
    }
    expect(await outcome).toMatchObject({ code: 'KMS_UNAVAILABLE', cause: { name: 'AttemptTimeoutError' } });
    expect(server.requests).toHaveLength(4);
  });

  it('stops repeating itself when the time for the whole is up', async () => {
    await kms[Symbol.asyncDispose]();
    kms = await open({ maxAttempts: 100, totalTimeout: 5_900 });
    server.failNext('hang', Number.POSITIVE_INFINITY);
    const outcome = generate().catch((reason: unknown) => reason);
    await server.arrived(1);
    await clock.advance(3_000);
    await server.arrived(2);
    await clock.advance(2_900);
    expect(await outcome).toMatchObject({ code: 'KMS_UNAVAILABLE' });
    expect(server.requests).toHaveLength(2);
  });

  it('ends at once when the caller gives up, with his reason', async () => {
    server.failNext('hang', Number.POSITIVE_INFINITY);
    const caller = new AbortController();
    const reason = new Error('the caller went away');
    const outcome = kms.generateDataKey({ keyRef: null, context, signal: caller.signal });
    await server.arrived(1);
    caller.abort(reason);
    await expect(outcome).rejects.toBe(reason);
    expect(clock.waiting).toBe(0);
  });

  it.each<KmsFault>(['garbage', 'short-key'])('does not take a %s for an answer', async (fault) => {
    server.failNext(fault, Number.POSITIVE_INFINITY);
    await expect(generate()).rejects.toMatchObject({ code: 'KMS_UNAVAILABLE' });
  });

  it('is unavailable, without a word to the service, where there are no credentials', async () => {
    for (const name of Object.keys(server.environment)) vi.stubEnv(name, undefined);
    for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']) vi.stubEnv(name, '/nonexistent');
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    await kms[Symbol.asyncDispose]();
    kms = await open({ region: server.region });
    await expect(generate()).rejects.toMatchObject({ code: 'KMS_UNAVAILABLE' });
    expect(server.requests).toHaveLength(0);
  });

  it('is unavailable where nothing listens', async () => {
    await server[Symbol.asyncDispose]();
    await expect(generate()).rejects.toMatchObject({ code: 'KMS_UNAVAILABLE' });
    server = await openKmsServer();
  });

  it('tells callers no ARN, account or text of the service', async () => {
    const { encrypted, keyRef } = await generate();
    const failures: unknown[] = [];
    for (const fault of ['throttle', 'internal', 'drop', 'garbage'] satisfies KmsFault[]) {
      server.failNext(fault, 4);
      failures.push(await generate().catch((reason: unknown) => reason));
      server.heal();
    }
    for (const state of ['disabled', 'denied', 'pending-deletion'] as const) {
      server.setKeyState(keyRef, state);
      failures.push(await kms.decryptDataKey({ encrypted, keyRef, context }).catch((reason) => reason));
    }
    expect(failures).toHaveLength(7);
    for (const failure of failures) {
      if (!isSealdeskError(failure)) throw failure;
      const told = JSON.stringify({ message: failure.message, details: failure.details });
      expect(told).not.toMatch(/arn:|1111|simulated|secret-name|html/i);
    }
  });
});
