/** `sealdesk query` against a gateway that listens, as a shell runs it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createKeyFile, encodeKeyFile } from '../../src/client/index.ts';
import { type SigningKeyDocument, signTransition } from '../../src/envelope/index.ts';
import { createNodeSuite } from '../../src/envelope/node.ts';
import { createSigner, describeSigner } from '../client/sealing-gateway.ts';
import { type ListeningGateway, openListeningGateway } from '../support/listening-gateway.ts';
import { openLoginKey } from '../support/login.ts';
import { createTestTenant, openTestClientKey, type TestTenant } from '../support/tenant.ts';
import { type Outcome, runHere } from './program.ts';

const TICKETS =
  'query Tickets($id: ID!) { integration(id: $id) { tickets(first: 2) { nodes { subject } } } }';

const folder = mkdtempSync(join(tmpdir(), 'sealdesk-query-'));
const keyFile = join(folder, 'key.json');
const resources = new AsyncDisposableStack();
let listening: ListeningGateway;
let tenant: TestTenant;

beforeAll(async () => {
  listening = resources.use(await openListeningGateway());
  tenant = await createTestTenant(listening.gateway);
  writeFileSync(keyFile, encodeKeyFile({ ...tenant.keyFile, gateway: listening.url }), { mode: 0o600 });
}, 60_000);
afterAll(async () => {
  await resources.disposeAsync();
  rmSync(folder, { recursive: true, force: true });
});

/** With the tenant's key file and the agent's API key, where `options` say nothing else. */
function query(
  document: string,
  options: readonly string[] = [],
  { key = keyFile, apiKey = tenant.keys.agent, input = '' } = {},
): Promise<Outcome> {
  return runHere(['query', document, '--key', key, '--api-key', apiKey, ...options], input);
}

const variables = (): string => JSON.stringify({ id: tenant.integrationId });

describe('sealdesk query', () => {
  it('prints what a sealed answer holds, and nothing of that travels in the clear', async () => {
    listening.sent.length = 0;
    const { code, stdout, stderr } = await query(TICKETS, ['--variables', variables()]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const answer = JSON.parse(stdout);
    const subjects = answer.data.integration.tickets.nodes.map(({ subject }: { subject: string }) => subject);
    expect(subjects).toHaveLength(2);
    expect(Object.keys(answer)).toEqual(['data', 'extensions']);
    expect(stdout).toContain('\n  "data": {\n');
    expect(listening.sent).toHaveLength(1);
    for (const subject of subjects) expect(listening.sent[0]).not.toContain(subject);
  });

  it('takes document and variables from files or standard input, and one operation of several', async () => {
    const expected = await query(TICKETS, ['--variables', variables()]);
    const documentFile = join(folder, 'documents.graphql');
    const variablesFile = join(folder, 'variables.json');
    writeFileSync(documentFile, `${TICKETS}\nquery Other { viewer { tenant { id } } }`);
    writeFileSync(variablesFile, variables());
    const fromFiles = await query(`@${documentFile}`, [
      ...['--variables', `@${variablesFile}`, '--operation', 'Tickets'],
    ]);
    const fromInput = await query('-', ['--variables', variables()], { input: TICKETS });
    for (const { code, stdout } of [fromFiles, fromInput]) {
      expect(code).toBe(0);
      expect(JSON.parse(stdout).data).toEqual(JSON.parse(expected.stdout).data);
    }
  });

  it('ends with 1 where the answer has errors, and prints them', async () => {
    const { code, stdout, stderr } = await query('{ viewer { nothing } }');
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(JSON.parse(stdout).errors[0].message).toMatch(/nothing/);
  });

  it('needs no API key where the key may log in by itself, and says what to do where it may not', async () => {
    const signed = await openLoginKey(listening.gateway, tenant.keys.admin, { roles: ['DASHBOARD'] });
    const file = join(folder, 'signed.json');
    // The address that the gateway gives itself; where it really listens is told by --url.
    writeFileSync(file, encodeKeyFile(signed), { mode: 0o600 });
    const ask = (key: string) =>
      runHere(['query', TICKETS, '--key', key, '--url', listening.url, '--variables', variables()]);
    const { code, stdout, stderr } = await ask(file);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout).data.integration.tickets.nodes).toHaveLength(2);
    const unsigned = join(folder, 'unsigned.json');
    writeFileSync(unsigned, encodeKeyFile(tenant.keyFile), { mode: 0o600 });
    const refused = await ask(unsigned);
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout).errors[0]).toMatchObject({
      message: expect.stringContaining('mapClientKey'),
      extensions: { code: 'FORBIDDEN' },
    });
  });

  it('says that nobody signed a failure in the clear', async () => {
    const { code, stdout, stderr } = await query('{ viewer { tenant { id } } }', [], {
      apiKey: 'sd_live_unknown',
    });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
      data: null,
    });
    expect(stderr).toMatch(/^sealdesk: This failure was answered in the clear: nobody signed it\.\n$/);
  });

  it('escapes what hides text or turns its direction, so that the JSON stays the same', async () => {
    const list = await query(TICKETS.replace('subject', 'id'), ['--variables', variables()]);
    const [{ id }] = JSON.parse(list.stdout).data.integration.tickets.nodes;
    const body = 'a\u202e\u200bb';
    const { code, stdout } = await query(
      'mutation ($id: ID!, $body: String!) { addComment(input: { ticketId: $id, body: $body, public: false }) { comment { plainBody } } }',
      ['--variables', JSON.stringify({ id, body })],
    );
    expect(code).toBe(0);
    expect(stdout).toContain('a\\u202e\\u200bb');
    expect(JSON.parse(stdout).data.addComment.comment.plainBody).toBe(body);
  });

  it('prints nothing of an answer that is sealed to another key or signed by an unknown one', async () => {
    const other = await openTestClientKey(listening.gateway, tenant.keys.admin, tenant.keys.admin);
    const foreign = join(folder, 'foreign.json');
    const gateway = { gateway: listening.url };
    writeFileSync(foreign, encodeKeyFile({ ...tenant.keyFile, ...gateway, key_id: other.key_id }), {
      mode: 0o600,
    });
    const unbound = { apiKey: tenant.keys.admin };
    expect(await query('{ viewer { tenant { id } } }', [], { key: foreign, ...unbound })).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^sealdesk: The envelope was not/),
    });
  });

  it('follows a chain of signing keys and keeps the new one, and else leaves its key file as it is', async () => {
    const kept = readFileSync(keyFile, 'utf8');
    await query('{ viewer { tenant { id } } }');
    expect(readFileSync(keyFile, 'utf8')).toBe(kept);

    const former = createSigner();
    const { signing_keys: current, tenant_id: tenantId } = tenant.keyFile;
    const document: SigningKeyDocument = {
      keys: [describeSigner(former), ...current],
      transitions: [await signTransition(former, { tenantId, toKid: current[0]?.kid ?? '', notBefore: 1 })],
    };
    const outdated = join(folder, 'outdated.json');
    writeFileSync(
      outdated,
      encodeKeyFile({ ...tenant.keyFile, gateway: listening.url, signing_keys: [describeSigner(former)] }),
      { mode: 0o600 },
    );
    const { fetch: real } = globalThis;
    vi.stubGlobal('fetch', (input: URL, init: RequestInit) =>
      String(input).endsWith('/keys.json') ? Promise.resolve(Response.json(document)) : real(input, init),
    );
    try {
      expect((await query('{ viewer { tenant { id } } }', [], { key: outdated })).code).toBe(0);
    } finally {
      vi.unstubAllGlobals();
    }
    const { signing_keys: pinned } = JSON.parse(readFileSync(outdated, 'utf8'));
    expect(pinned.map(({ kid }: { kid: string }) => kid)).toContain(current[0]?.kid);
    // The pin alone is enough from now on.
    expect((await query('{ viewer { tenant { id } } }', [], { key: outdated })).code).toBe(0);
  });

  it('refuses variables that are no JSON object, without quoting them', async () => {
    for (const text of ['secret', '["secret"]', '"secret"', 'null', '']) {
      const { code, stdout, stderr } = await query(TICKETS, ['--variables', text]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^sealdesk: --variables takes a JSON object/);
      expect(stderr).not.toContain('secret');
    }
  });

  it('says what to do with a key that no gateway has welcomed, and where nobody answers', async () => {
    const fresh = join(folder, 'fresh.json');
    writeFileSync(fresh, encodeKeyFile(createKeyFile(createNodeSuite())), { mode: 0o600 });
    expect(await query('{ a }', [], { key: fresh })).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/sealdesk keys register .*fresh\.json/),
    });
    expect(await query('{ a }', ['--url', 'http://127.0.0.1:1'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^sealdesk: The gateway at http:\/\/127\.0\.0\.1:1 cannot be reached/),
    });
  });

  it('sends nothing over clear http to another machine unless it is told to', async () => {
    // RFC 6761 §6.4: a name that never resolves.
    const remote = ['--url', 'http://gateway.invalid'];
    const { code, stdout, stderr } = await query('{ a }', remote);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^sealdesk: Nothing was sent: http:\/\/gateway\.invalid .*--insecure-http/);
    expect((await query('{ a }', [...remote, '--insecure-http'])).stderr).toMatch(/cannot be reached/);
  });
});
