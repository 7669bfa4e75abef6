/** Commands that carry an API key do not send it over clear http to another machine. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runHere } from './program.ts';

const API_KEY = 'sd_live_test';
/** RFC 6761 §6.4: a name that never resolves. */
const REMOTE = ['--url', 'http://gateway.invalid', '--api-key', API_KEY];

let folder = '';
let file = '';

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealdesk-http-'));
  file = join(folder, 'key.json');
  await runHere(['keys', 'generate', file]);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe.each<[string, () => string[]]>([
  ['keys register', () => ['keys', 'register', file]],
  ['tenant create', () => ['tenant', 'create', 'Shop']],
  ['operator create', () => ['operator', 'create']],
])('%s over http to another machine', (_name, command) => {
  it('sends nothing and says what to do', async () => {
    const { code, stdout, stderr } = await runHere([...command(), ...REMOTE]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^sealdesk: Nothing was sent: http:\/\/gateway\.invalid .*--insecure-http/);
    expect(stderr).not.toContain(API_KEY);
  });

  it('tries where --insecure-http allows it', async () => {
    const { code, stderr } = await runHere([...command(), ...REMOTE, '--insecure-http']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^sealdesk: The gateway at http:\/\/gateway\.invalid cannot be reached/);
  });
});
