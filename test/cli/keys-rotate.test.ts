/** Rotating, looking at and verifying a key file, as a shell does it, against a gateway that listens. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  encodeKeyFile,
  fingerprint,
  importKeys,
  parseKeyFileText,
  type WelcomedKeyFile,
} from '../../src/client/index.ts';
import { createNodeSuite } from '../../src/envelope/node.ts';
import { type ListeningGateway, openListeningGateway } from '../support/listening-gateway.ts';
import { mapTestKey, REVOKE } from '../support/rotation.ts';
import {
  createTestApiKey,
  createTestTenant,
  dataOf,
  openTestClientKey,
  type TestTenant,
} from '../support/tenant.ts';
import { type Outcome, runHere } from './program.ts';

const suite = createNodeSuite();
const resources = new AsyncDisposableStack();
let listening: ListeningGateway;
let tenant: TestTenant;
let folder = '';
let file = '';
let old: WelcomedKeyFile;

beforeAll(async () => {
  listening = resources.use(await openListeningGateway());
  tenant = await createTestTenant(listening.gateway);
}, 60_000);
afterAll(() => resources.disposeAsync());
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealdesk-rotate-'));
  file = join(folder, 'key.json');
  const { admin } = tenant.keys;
  old = { ...(await openTestClientKey(listening.gateway, admin, admin)), gateway: listening.url };
  writeFileSync(file, encodeKeyFile(old), { mode: 0o600 });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (path: string): WelcomedKeyFile => {
  const parsed = parseKeyFileText(suite, readFileSync(path, 'utf8'));
  if (!('key_id' in parsed)) throw new Error(`${path} has not been welcomed`);
  return parsed;
};
const rotate = (...options: string[]): Promise<Outcome> =>
  runHere(['keys', 'rotate', file, '--url', listening.url, ...options]);
const withKey = (): string[] => ['--api-key', tenant.keys.agent];
const status = (path = file): Promise<Outcome> => runHere(['keys', 'status', path, '--url', listening.url]);
const map = (keyFile: WelcomedKeyFile): Promise<void> =>
  mapTestKey(listening.gateway, tenant.keys.admin, keyFile);
const revoke = async (id: string): Promise<void> =>
  void dataOf(await listening.gateway.graphql(REVOKE, { apiKey: tenant.keys.admin, variables: { id } }));
const fingerprintOf = (keyFile: WelcomedKeyFile): string => {
  const { kem, sig } = importKeys(suite, keyFile);
  return fingerprint(suite, { kem: kem.kid, sig: sig.kid });
};

describe('keys rotate', () => {
  it('makes the successor beside the key, says what to hand over, and puts it in place when it is mapped', async () => {
    const first = await rotate(...withKey());
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(folder).toSorted()).toEqual(['key.json', 'key.json.next']);
    expect(statSync(`${file}.next`).mode & 0o777).toBe(0o600);
    expect(read(file)).toEqual(old);
    const next = read(`${file}.next`);
    for (const told of [next.key_id, fingerprintOf(next), `mapClientKey(keyId: "${next.key_id}")`]) {
      expect(first.stdout).toContain(told);
    }
    expect(first.stdout).toContain(`${old.key_id} works as before`);

    // Again before it is mapped: nothing changes, and no API key is asked for.
    expect(await rotate()).toEqual(first);
    await map(next);
    const last = await rotate();
    expect(last).toMatchObject({ code: 0, stderr: '' });
    expect(read(file)).toEqual(next);
    expect(readdirSync(folder).toSorted()).toEqual(['key.json', `key.json.${old.key_id}`]);
    expect(read(`${file}.${old.key_id}`)).toEqual(old);
    expect(statSync(`${file}.${old.key_id}`).mode & 0o777).toBe(0o600);
  });

  it('lets every command go on meanwhile, with whichever of the two keys is served', async () => {
    const { admin } = tenant.keys;
    const apiKey = await createTestApiKey(listening.gateway, admin, {
      ...{ roles: ['AGENT'], clientKeyId: old.key_id },
    });
    const ask = () =>
      runHere([
        'query',
        '{ viewer { tenant { id } } }',
        '--key',
        file,
        '--url',
        listening.url,
        '--api-key',
        apiKey,
      ]);
    await rotate('--strict', ...withKey());
    expect(await ask()).toMatchObject({ code: 1, stdout: expect.stringContaining('CLIENT_KEY_NOT_MAPPED') });
    await map(read(`${file}.next`));
    expect(await ask()).toMatchObject({ code: 0, stdout: expect.stringContaining(tenant.id), stderr: '' });
  });

  it('goes on where it broke off, with the key that it made before', async () => {
    const nowhere = await runHere(['keys', 'rotate', file, '--url', 'http://127.0.0.1:1', ...withKey()]);
    expect(nowhere.code).toBe(1);
    expect(nowhere.stderr).toMatch(/cannot be reached/);
    const made = parseKeyFileText(suite, readFileSync(`${file}.next`, 'utf8'));
    expect(await rotate(...withKey())).toMatchObject({ code: 0 });
    expect(read(`${file}.next`).keys).toEqual(made.keys);
    // Broken off between the two steps of putting it in place.
    await map(read(`${file}.next`));
    writeFileSync(`${file}.${old.key_id}`, encodeKeyFile(old), { mode: 0o600 });
    expect(await rotate()).toMatchObject({ code: 0 });
    expect(read(file).keys).toEqual(made.keys);
  });

  it('--strict stops the old key at once, and says so', async () => {
    const { code, stdout } = await rotate('--strict', ...withKey());
    expect(code).toBe(0);
    expect(stdout).toContain(`nothing is sealed to ${old.key_id} any more`);
    const next = read(`${file}.next`);
    const shown = await status();
    expect(shown.code).toBe(1);
    expect(shown.stdout).toContain(`key id ${next.key_id}, fingerprint ${fingerprintOf(next)}`);
  });

  it('says what to do where the successor was cancelled', async () => {
    await rotate(...withKey());
    const next = read(`${file}.next`);
    await revoke(next.key_id);
    const { code, stdout, stderr } = await rotate();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`Delete ${file}.next and run this again`);
    rmSync(`${file}.next`);
    expect(await rotate(...withKey())).toMatchObject({ code: 0 });
  });

  it('needs a key that was welcomed, and an API key to begin', async () => {
    expect(await rotate()).toMatchObject({ code: 2, stdout: '' });
    const fresh = join(folder, 'fresh.json');
    await runHere(['keys', 'generate', fresh]);
    const { code, stderr } = await runHere(['keys', 'rotate', fresh, ...withKey()]);
    expect(code).toBe(1);
    expect(stderr).toContain(`sealdesk keys register ${fresh}`);
  });
});

describe('keys status', () => {
  it('tells what the gateway says of a key in each state, and what is next', async () => {
    const fresh = join(folder, 'fresh.json');
    await runHere(['keys', 'generate', fresh]);
    expect(await status(fresh)).toMatchObject({
      ...{ code: 1, stdout: expect.stringContaining(`sealdesk keys register ${fresh}`) },
    });
    const active = await status();
    expect(active).toMatchObject({ code: 0, stdout: expect.stringContaining(`${old.key_id} (ACTIVE)`) });
    expect(active.stdout).toContain('Nothing is to be done.');

    await rotate(...withKey());
    expect((await status()).stdout).toContain(`sealdesk keys rotate ${file} goes on with the rotation`);
    const next = read(`${file}.next`);
    const waiting = await status(`${file}.next`);
    expect(waiting).toMatchObject({ code: 1, stdout: expect.stringContaining(`${next.key_id} (CONFIRMED)`) });
    expect(waiting.stdout).toContain(`Successor of ${old.key_id} (OVERLAP)`);
    expect(waiting.stdout).toContain(`mapClientKey(keyId: "${next.key_id}")`);

    await map(next);
    const retired = await status();
    expect(retired).toMatchObject({ code: 0, stdout: expect.stringContaining('(RETIRED)') });
    expect(retired.stdout).toMatch(/Served until \d{4}-/);
    await revoke(next.key_id);
    const revoked = await status(`${file}.next`);
    expect(revoked.code).toBe(1);
    expect(revoked.stdout).toContain('was revoked');
  });

  it('warns ahead of the end that was set', async () => {
    const { gateway } = listening;
    const soon = { ...(await openTestClientKey(gateway, tenant.keys.admin, null)), gateway: listening.url };
    await mapTestKey(gateway, tenant.keys.admin, soon, new Date(Date.now() + 86_400_000));
    writeFileSync(file, encodeKeyFile(soon), { mode: 0o600 });
    const { code, stdout } = await status();
    expect(code).toBe(0);
    expect(stdout).toMatch(/Ends {9}\d{4}-/);
    expect(stdout).toContain(`sealdesk keys rotate ${file}, before it ends`);
  });
});

describe('keys verify', () => {
  it('finds nothing wrong with a good key, without network', async () => {
    const { code, stdout, stderr } = await runHere(['keys', 'verify', file]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.match(/^ok /gm)).toHaveLength(6);
    expect(stdout).toContain(fingerprintOf(old));
    const fresh = join(folder, 'fresh.json');
    await runHere(['keys', 'generate', fresh]);
    expect((await runHere(['keys', 'verify', fresh])).stdout).toContain('No gateway has welcomed it yet.');
  });

  const spoiled: readonly (readonly [string, (file: WelcomedKeyFile) => unknown, RegExp])[] = [
    [
      'whose public half is another’s',
      (f) => withJwk(f, 0, { pub: f.keys[0].pub.replace(/^./, flip) }),
      /keys\[0\]/,
    ],
    [
      'whose seed is another’s',
      (f) => withJwk(f, 1, { priv: f.keys[1].priv.replace(/^./, flip) }),
      /keys\[1\]/,
    ],
    ['whose thumbprint is another’s', (f) => withJwk(f, 0, { kid: f.keys[1].kid }), /keys\[0\]\.kid/],
    ['whose MAC key is short', (f) => ({ ...f, mac_key: 'AAAA' }), /mac_key/],
    ['that trusts no signing key', (f) => ({ ...f, signing_keys: [] }), /signing_keys/],
    [
      'whose signing keys are all revoked',
      (f) => ({ ...f, signing_keys: f.signing_keys.map((key) => ({ ...key, status: 'REVOKED' })) }),
      /REVOKED/,
    ],
    ['with a member that nobody knows', (f) => ({ ...f, more: 1 }), /members/],
  ];
  it.each(spoiled)('names what is wrong with a key %s, and quotes no secret', async (_what, spoil, named) => {
    writeFileSync(file, JSON.stringify(spoil(old)), { mode: 0o600 });
    const { code, stdout, stderr } = await runHere(['keys', 'verify', file]);
    expect(code).toBe(1);
    expect(stderr).toMatch(named);
    for (const { priv } of old.keys) expect(`${stdout}${stderr}`).not.toContain(priv);
  });
});

const flip = (letter: string): string => (letter === 'A' ? 'B' : 'A');

function withJwk(keyFile: WelcomedKeyFile, index: 0 | 1, change: object): unknown {
  return { ...keyFile, keys: keyFile.keys.map((key, at) => (at === index ? { ...key, ...change } : key)) };
}
