import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseBase64 } from '../../src/base/index.ts';
import { fingerprint } from '../../src/client/index.ts';
import { parsePublicJwkSet, verifyRegistration } from '../../src/envelope/index.ts';
import { createNodeSuite } from '../../src/envelope/node.ts';
import { runHere } from './program.ts';

const suite = createNodeSuite();
const TENANT = 'ten_01m7yfj9k5es99h7z8z9x58dcc';
let folder = '';
let file = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealdesk-cli-'));
  file = join(folder, 'key.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('keys generate', () => {
  it('writes a key that its owner alone can read, and nothing else', async () => {
    const { code, stdout } = await runHere(['keys', 'generate', file]);
    expect(code).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['key.json']);
    const written: unknown = JSON.parse(readFileSync(file, 'utf8'));
    expect(written).toMatchObject({ version: 1, keys: [{ alg: 'ML-KEM-768' }, { alg: 'ML-DSA-65' }] });
    expect((await runHere(['keys', 'fingerprint', file])).stdout).toBe(`${stdout.split('\n')[1]}\n`);
  });

  it('does not overwrite a file', async () => {
    writeFileSync(file, 'mine');
    const { code, stdout, stderr } = await runHere(['keys', 'generate', file]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/exists already/);
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect(readdirSync(folder)).toEqual(['key.json']);
  });

  it('says in one line that a folder is missing', async () => {
    const { code, stderr } = await runHere(['keys', 'generate', join(folder, 'no', 'key.json')]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/no such file or folder\.\n$/);
  });
});

describe('a key file', () => {
  beforeEach(() => runHere(['keys', 'generate', file]));

  it.skipIf(process.platform === 'win32')('that others may read is refused, with the remedy', async () => {
    for (const mode of [0o644, 0o640, 0o604, 0o620]) {
      chmodSync(file, mode);
      const { code, stdout, stderr } = await runHere(['keys', 'fingerprint', file]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain(`chmod 600 ${file}`);
    }
  });

  it('that is no key file is refused without quoting it', async () => {
    for (const text of ['secret-text', '{"version":1,"keys":["secret-text"]}', '"secret-text"', '']) {
      writeFileSync(file, text, { mode: 0o600 });
      const { code, stdout, stderr } = await runHere(['keys', 'public', file]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).not.toContain('secret-text');
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    }
  });

  it('that is too long is not even read', async () => {
    writeFileSync(file, ' '.repeat(200_000), { mode: 0o600 });
    expect((await runHere(['keys', 'public', file])).stderr).toMatch(/longer than/);
  });
});

describe('keys public', () => {
  beforeEach(() => runHere(['keys', 'generate', file]));

  it('prints a public JWK Set, and nothing of the private half', async () => {
    const { code, stdout } = await runHere(['keys', 'public', file]);
    expect(code).toBe(0);
    const { kem, sig } = parsePublicJwkSet(suite, JSON.parse(stdout));
    expect((await runHere(['keys', 'fingerprint', file])).stdout.trim()).toBe(
      fingerprint(suite, { kem: kem.kid, sig: sig.kid }),
    );
    const seeds = [...readFileSync(file, 'utf8').matchAll(/"priv": "([^"]+)"/g)].map(([, seed]) => seed);
    expect(seeds).toHaveLength(2);
    for (const seed of seeds) expect(stdout).not.toContain(seed);
    expect(stdout).not.toContain('priv');
  });

  it('writes it to a file that does not exist yet', async () => {
    const out = join(folder, 'public.json');
    expect(await runHere(['keys', 'public', file, '--out', out])).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(readFileSync(out, 'utf8')).toBe((await runHere(['keys', 'public', file])).stdout);
    const again = await runHere(['keys', 'public', file, '--out', out]);
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/public\.json: .*exists/);
  });

  it('adds the proof of registration for one tenant', async () => {
    const { stdout } = await runHere(['keys', 'public', file, '--tenant', TENANT]);
    const shown = z
      .strictObject({ jwks: z.unknown(), issuedAt: z.int(), proof: z.string() })
      .parse(JSON.parse(stdout));
    const { kem, sig } = parsePublicJwkSet(suite, shown.jwks);
    const claim = { tenant_id: TENANT, kem_kid: kem.kid, sig_kid: sig.kid, issued_at: shown.issuedAt };
    const proof = parseBase64(shown.proof) ?? new Uint8Array();
    const key = suite.importVerifyingKey(sig.publicKey);
    expect(await verifyRegistration(key, claim, proof)).toBe(true);
    const other = { ...claim, tenant_id: 'ten_01m7yfj9k5es99h7z8z9x58dcd' };
    expect(await verifyRegistration(key, other, proof)).toBe(false);
    expect(stdout).not.toContain('priv');
  });
});

describe('keys register', () => {
  beforeEach(() => runHere(['keys', 'generate', file]));

  it('needs an address and one API key', async () => {
    expect(await runHere(['keys', 'register', file])).toMatchObject({ code: 2, stdout: '' });
    const both = [
      'keys',
      'register',
      file,
      '--url',
      'http://localhost:1',
      '--api-key',
      'a',
      '--api-key-file',
      '-',
    ];
    expect(await runHere(both)).toMatchObject({ code: 2, stdout: '' });
    const noUrl = ['keys', 'register', file, '--url', 'ftp://localhost', '--api-key', 'a'];
    expect(await runHere(noUrl)).toMatchObject({ code: 2, stdout: '' });
  });

  it('says in one line that nobody answers, and leaves the key file as it was', async () => {
    const before = readFileSync(file, 'utf8');
    const args = ['keys', 'register', file, '--url', 'http://127.0.0.1:1', '--api-key-file', '-'];
    const { code, stdout, stderr } = await runHere(args, 'sd_live_x\n');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^sealdesk: The gateway at http:\/\/127\.0\.0\.1:1 cannot be reached/);
    expect(stderr).not.toContain('sd_live_x');
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect(existsSync(file)).toBe(true);
  });
});
