/** A gateway that answers with what a terminal would obey, and what of it reaches the terminal. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createId } from '../../src/base/index.ts';
import { runHere } from './program.ts';

const HOSTILE = 'x\u001b]0;owned\u0007\u001b[2J\u009b31m\u202ePAY HERE\r\nline 2';
const OBEYED = /[^\P{Cc}\n\t]|\p{Cf}/u;

let answer: unknown;
let url = '';
let stop = (): void => {};
let folder = '';

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealdesk-terminal-'));
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end(JSON.stringify(answer)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new TypeError('no port');
  url = `http://127.0.0.1:${address.port}`;
  stop = () => void server.close();
});
afterEach(() => {
  stop();
  rmSync(folder, { recursive: true, force: true });
});

const create = (...command: string[]) => runHere([...command, '--url', url, '--api-key', 'sd_live_test']);

describe('a hostile gateway', () => {
  it('writes nothing but plain text, on one line, by its refusals', async () => {
    for (const extensions of [{ code: 'FORBIDDEN' }, {}]) {
      answer = { errors: [{ message: HOSTILE, extensions }] };
      const { code, stdout, stderr } = await create('tenant', 'create', 'Shop');
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain('PAY HERE line 2');
      expect(stderr.trimEnd()).not.toContain('\n');
      expect(stderr).not.toMatch(OBEYED);
    }
  });

  it.each([
    [{ tenant: { id: HOSTILE }, adminApiKeySecret: 'sd_live_a' }],
    [{ tenant: { id: createId('tenant') }, adminApiKeySecret: HOSTILE }],
    [{ tenant: { id: createId('tenant') }, adminApiKeySecret: 'sd_live_a\nTenant  ten_b' }],
  ])('has no id or secret of another form printed (%#)', async (createTenant) => {
    answer = { data: { createTenant } };
    for (const json of [[], ['--json']]) {
      expect(await create('tenant', 'create', 'Shop', ...json)).toEqual({
        code: 1,
        stdout: '',
        stderr: 'sealdesk: The gateway answered something else than was asked.\n',
      });
    }
  });

  it('has no operator key of another form printed', async () => {
    answer = { data: { createApiKey: { apiKey: { id: createId('apiKey') }, secret: HOSTILE } } };
    expect(await create('operator', 'create')).toMatchObject({ code: 1, stdout: '' });
  });
});

describe('a file', () => {
  it('with a name that a terminal would obey is named without it', async () => {
    const file = join(folder, 'key\u202e\u009b2J.json');
    const { code, stdout } = await runHere(['keys', 'generate', file]);
    expect(code).toBe(0);
    expect(readFileSync(file, 'utf8')).toContain('ML-KEM-768');
    expect(stdout).toContain('key\ufffd\ufffd2J.json');
    expect(stdout).not.toMatch(OBEYED);
    const again = await runHere(['keys', 'generate', file]);
    expect(again.stderr).not.toMatch(OBEYED);
  });
});
