/**
 * Nothing secret and no customer text comes to rest: not in a table, the data folder or its
 * write-ahead log, not in a log line, an answer in the clear or an error. A story puts a canary into
 * every way in, meets every failure, and then all that was written is searched.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FaultEffect } from '../../simulator/faults.ts';
import { authenticateApiKey } from '../../src/access/index.ts';
import { createPinoLog } from '../../src/server/index.ts';
import { type Call, sweepIntents } from '../../src/service/index.ts';
import { openStore, type Store } from '../../src/store/index.ts';
import { openRig, type Rig, SEALED } from '../proxy/rig.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { createTestApiKey } from '../support/tenant.ts';
import { dumpTables, findInFolder, findWords, printError, spellingsOf } from './canaries.ts';

/** What goes in and must not be found. */
const SECRETS = {
  username: 'kanarienvogel.agent@lumen-oak.test',
  password: 'kanarienvogel-api-token-7Qx2',
  clientId: 'kanarienvogel-client-id-Ww4e',
  clientSecret: 'kanarienvogel-client-secret-9Zp1',
  bearer: 'kanarienvogel-bearer-token-5Kd8',
  apiKey: 'kanarienvogel-bare-key-3Hj6',
  subject: 'Kanarienvogel subject: my lamp burnt down',
  comment: 'Kanarienvogel comment: call me at 0151 2345',
  requester: 'kanarienvogel.customer@private.test',
  requesterName: 'Katharina Kanarienvogel',
  query: 'kanarienvogel search text',
  body: 'Kanarienvogel answer of Zendesk about Mrs Miller',
  idempotencyKey: 'kanarienvogel-order-4711',
  unknownOperation: 'kanarienvogel_operation',
  unknownField: 'kanarienvogel_field_value',
} as const;
/** What all of them have in common, so that a part of one is found too. */
const CANARY = 'anarienvogel';
/** What is no secret and must be found, or the search is blind. */
const VISIBLE = 'visible-name-of-the-integration';

const QUOTING = JSON.stringify({
  error: 'RecordInvalid',
  description: SECRETS.body,
  details: { subject: [{ description: `${SECRETS.subject}: ${SECRETS.body}`, error: 'InvalidValue' }] },
});
const FAULTS: readonly FaultEffect[] = [
  { kind: 'status', status: 401, body: QUOTING },
  { kind: 'status', status: 403, body: QUOTING },
  { kind: 'status', status: 404, body: QUOTING },
  { kind: 'status', status: 409, body: QUOTING },
  { kind: 'status', status: 422, body: QUOTING },
  {
    kind: 'status',
    status: 422,
    body: JSON.stringify({ error: SECRETS.body, details: { [SECRETS.subject]: [] } }),
  },
  { kind: 'status', status: 500, body: QUOTING },
  { kind: 'status', status: 503, body: `<h1>${SECRETS.body}</h1>`, contentType: 'text/html' },
  { kind: 'status', status: 200, body: `<h1>${SECRETS.body}</h1>`, contentType: 'text/html' },
  { kind: 'status', status: 200, body: `{"ticket":{"subject":"${SECRETS.subject}`, applied: true },
  { kind: 'status', status: 200, body: JSON.stringify({ [SECRETS.body]: SECRETS.subject }) },
  { kind: 'rate-limited', retryAfter: 90, body: 'json' },
  { kind: 'truncated' },
  { kind: 'close', applied: true },
  { kind: 'hang', applied: true },
];

interface Told {
  /** Bodies and headers of all answers that are not a success. */
  readonly refusals: readonly string[];
  /** All that was thrown, printed in full. */
  readonly errors: readonly string[];
  readonly secrets: readonly string[];
}

async function tellStory(rig: Rig): Promise<Told> {
  const { gateway, tenant } = rig;
  const refusals: string[] = [];
  const errors: string[] = [];
  const note = <A extends { status: number; json: { errors?: unknown } | null }>(answer: A): A => {
    if (answer.status !== 200 || answer.json?.errors !== undefined) refusals.push(JSON.stringify(answer));
    return answer;
  };
  const { admin, agent } = tenant.keys;
  const mutate = async (document: string, variables: object) =>
    note(await gateway.graphql(document, { apiKey: admin, variables }));
  const seal = (input: object) =>
    mutate('mutation($input: SealCredentialInput!) { sealCredential(input: $input) { credential { id } } }', {
      input,
    });
  const integrate = async (type: string, secret: object): Promise<string> => {
    const sealed = await seal({ type, secret });
    const { json } = await mutate(
      'mutation($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id } } }',
      {
        input: {
          name: VISIBLE,
          systemType: 'ZENDESK',
          config: { subdomain: 'acme' },
          credentialId: sealed.json.data.sealCredential.credential.id,
          allowedOperations: ['search', 'get_ticket', 'create_ticket', 'update_ticket'],
        },
      },
    );
    return json.data.createIntegration.integration.id;
  };
  const ticket = {
    subject: SECRETS.subject,
    comment: { body: SECRETS.comment, public: false },
    requester: { name: SECRETS.requesterName, email: SECRETS.requester },
  };
  const requests = (integrationId: string) =>
    [
      { operation: 'search', payload: { query: SECRETS.query } },
      { operation: 'create_ticket', payload: ticket, idempotency_key: SECRETS.idempotencyKey },
      {
        operation: 'update_ticket',
        payload: { ticket_id: 7, subject: SECRETS.subject, comment: ticket.comment },
      },
    ].map((request) => ({ integration_id: integrationId, ...request }));
  const send = async (json: object, headers: Record<string, string> = {}) =>
    note(await gateway.send('/api/v2/proxy/outbound', { apiKey: agent, json, headers }));

  // Credentials of every type at work, told to be right and wrong.
  const integrations = [
    await integrate('BASIC_AUTH', { username: SECRETS.username, password: SECRETS.password }),
    await integrate('OAUTH2_CLIENT', { client_id: SECRETS.clientId, client_secret: SECRETS.clientSecret }),
    await integrate('OAUTH2_TOKEN', { access_token: SECRETS.bearer }),
    await integrate('API_KEY', { api_key: SECRETS.apiKey }),
  ];
  for (const id of integrations) {
    for (const request of requests(id)) await send(request);
    await mutate('mutation($id: ID!) { testIntegration(id: $id) { ok message } }', { id });
    await mutate('mutation($input: ProxyOutboundInput!) { proxyOutbound(input: $input) { auditEventId } }', {
      input: { integrationId: id, operation: 'search', payload: { query: SECRETS.query } },
    });
  }

  // Every failure of Zendesk, in the clear, sealed, and as it is thrown.
  const [, integrationId = ''] = integrations;
  const caller = await gateway.store.withSystem('api-key-lookup', (tx) =>
    authenticateApiKey(tx, agent, rig.clock.now()),
  );
  const call: Call = {
    caller,
    requestId: 'leaks',
    ip: null,
    requestTarget: 'POST /leaks',
    requestSha256: Buffer.alloc(32).toString('base64url'),
    clientNonce: null,
    recipientKeyId: null,
    acceptsSealedErrors: false,
    parentEventId: null,
    signal: new AbortController().signal,
  };
  const connectAgain = () =>
    gateway.store.withTenant(tenant.id, (tx) =>
      tx
        .updateTable('integrations')
        .set({ status: 'ACTIVE', reconnect_reason: null, reconnect_since: null })
        .execute(),
    );
  for (const effect of FAULTS) {
    await connectAgain();
    gateway.simulator.faults.add({ path: '/api/v2/**', effect });
    const [search, create, update] = requests(integrationId);
    await send(update ?? {}, SEALED);
    // A silent Zendesk costs real time with every try; a change without an idempotency key has one.
    const others = effect.kind === 'hang' ? [] : [search, create];
    for (const request of others) await send(request ?? {});
    for (const { operation, payload } of [update, ...others].filter((one) => one !== undefined)) {
      await gateway.services
        .proxyOutbound(call, { integrationId, operation, payload })
        .catch((error: unknown) => {
          errors.push(printError(error));
        });
    }
    gateway.simulator.faults.clear();
    rig.clock.advance(120_000);
  }
  for (const effect of FAULTS) {
    await connectAgain();
    await gateway.store.withTenant(tenant.id, (tx) => tx.deleteFrom('access_tokens').execute());
    gateway.simulator.faults.add({ path: '/oauth/tokens', effect });
    for (const request of requests(integrationId).slice(0, 1)) await send(request);
    gateway.simulator.faults.clear();
    rig.clock.advance(120_000);
  }

  // What is refused before it goes anywhere.
  const misplaced = [
    { integration_id: integrationId, operation: SECRETS.unknownOperation, payload: ticket },
    { integration_id: SECRETS.unknownField, operation: 'search', payload: { query: SECRETS.query } },
    { integration_id: integrationId, operation: 'search', payload: { query: SECRETS.query.repeat(200) } },
    {
      integration_id: integrationId,
      operation: 'create_ticket',
      payload: { ...ticket, priority: SECRETS.unknownField, type: SECRETS.subject, [SECRETS.comment]: 1 },
    },
    { integration_id: integrationId, operation: 'get_ticket', payload: { ticket_id: SECRETS.subject } },
    { operation: 'search', payload: SECRETS.query, [SECRETS.query]: 1 },
  ];
  for (const request of misplaced) await send(request);
  const wrong = { apiKey: agent, body: `{"payload":"${SECRETS.comment}` };
  note(await gateway.send('/api/v2/proxy/outbound', wrong));
  note(await gateway.send('/api/v2/proxy/outbound', { ...wrong, apiKey: SECRETS.password }));
  note(await gateway.send(`/api/v2/${encodeURIComponent(SECRETS.query)}`, wrong));
  await seal({
    type: 'BASIC_AUTH',
    secret: { username: SECRETS.password, password: `${SECRETS.password} ` },
  });
  await seal({ type: 'OAUTH2_CLIENT', secret: { client_id: SECRETS.clientId, [SECRETS.clientSecret]: 1 } });
  await seal({ type: SECRETS.clientSecret, secret: SECRETS.clientSecret });
  await mutate(
    `mutation { proxyOutbound(input: { operation: "${SECRETS.query}", payload: "${SECRETS.comment}" }) { auditEventId } }`,
    {},
  );

  // The database goes away at the worst moment.
  const arrived = gateway.simulator
    .waitForRequest(({ method }) => method === 'PUT', { after: gateway.simulator.requests.total })
    .then(() => rig.outage.begin(() => new Error(`driver quoting ${SECRETS.subject}`)));
  await send(requests(integrationId)[2] ?? {});
  await arrived;
  rig.outage.end();
  rig.clock.advance(600_000);
  await sweepIntents(gateway.deps);

  // The secret parts of API keys: shown once, stored as hashes.
  const spare = await createTestApiKey(gateway, admin, { roles: ['AGENT'] });
  const apiKeys = [...Object.values(tenant.keys), gateway.operatorKey, spare].map((key) =>
    key.split('_').slice(3).join('_'),
  );
  return { refusals, errors, secrets: [CANARY, ...apiKeys] };
}

const openStoryRig = (
  lines: string[],
  options: { readonly database?: 'pglite' | 'postgres'; readonly store?: Store },
) =>
  openRig({
    ...(options.database === undefined ? {} : { database: options.database }),
    ...(options.store === undefined ? {} : { store: options.store }),
    log: createPinoLog('debug', { write: (line) => lines.push(line) }),
    transport: { headersTimeout: 100 },
    simulator: {
      accounts: {
        apiTokens: [{ email: SECRETS.username, token: SECRETS.password, role: 'admin' }],
        oauthClients: [
          { clientId: SECRETS.clientId, clientSecret: SECRETS.clientSecret, scopes: ['read', 'write'] },
        ],
        accessTokens: [{ token: SECRETS.bearer, scopes: ['read', 'write'] }],
      },
    },
  });

describe('the search for canaries', () => {
  it.each([
    'utf8',
    'utf16le',
    'hex',
    'base64',
    'base64url',
  ] as const)('finds a word written as %s, wherever it stands', (encoding) => {
    for (const before of ['', 'x', 'xy', 'xyz']) {
      for (const after of ['', 'x', 'xy']) {
        const text = Buffer.from(`${before}${SECRETS.password}${after}`);
        const written =
          encoding === 'utf8' || encoding === 'utf16le'
            ? Buffer.from(text.toString(), encoding)
            : Buffer.from(text.toString(encoding));
        expect(findWords(written, [CANARY, 'another word'])).toEqual([CANARY]);
      }
    }
  });

  it('looks for a word that all secrets of the story hold, in many spellings', () => {
    for (const word of Object.values(SECRETS)) {
      expect(word).toContain(CANARY);
      expect(new Set(spellingsOf(word).map(String)).size).toBeGreaterThanOrEqual(8);
    }
  });
});

describeOnBothDatabases('after a story with every failure', (database) => {
  it('no secret and no customer text is in a table, a log line, an answer in the clear or an error', async () => {
    const lines: string[] = [];
    await using rig = await openStoryRig(lines, { database });
    const { refusals, errors, secrets } = await tellStory(rig);
    const dump = await dumpTables(rig.gateway.store);
    expect(findWords(dump, secrets)).toEqual([]);
    expect(findWords(lines.join(''), secrets)).toEqual([]);
    expect(refusals.flatMap((one) => findWords(one, secrets).map((word) => `${word} in ${one}`))).toEqual([]);
    expect(errors.flatMap((one) => findWords(one, secrets).map((word) => `${word} in ${one}`))).toEqual([]);
    // There was something to search, and the search can see.
    expect(findWords(dump, [VISIBLE])).toEqual([VISIBLE]);
    expect(findWords(lines.join(''), ['Zendesk call is tried again'])).toHaveLength(1);
    expect(refusals.length).toBeGreaterThan(60);
    expect(errors.length).toBeGreaterThan(FAULTS.length);
  });
});

describe('the data folder', () => {
  it('with its write-ahead log holds no secret and no customer text, in use and closed', async () => {
    await using resources = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'sealdesk-leaks-'));
    resources.defer(() => rm(folder, { recursive: true }));
    const lines: string[] = [];
    let secrets: readonly string[];
    {
      await using store = await openStore({
        location: { kind: 'pglite', folder, url: 'http://localhost:4000' },
      });
      await using rig = await openStoryRig(lines, { store });
      ({ secrets } = await tellStory(rig));
      expect(await findInFolder(folder, secrets)).toEqual([]);
      const visible = await findInFolder(folder, [VISIBLE]);
      expect(visible.some((place) => place.includes('pg_wal'))).toBe(true);
    }
    expect(await findInFolder(folder, secrets)).toEqual([]);
    const visible = await findInFolder(folder, [VISIBLE]);
    expect(visible.some((place) => place.includes('base'))).toBe(true);
  });
});
