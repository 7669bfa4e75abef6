/** What was admitted at the start of an operation and taken back before its end. */
import { expect, it } from 'vitest';
import { sealedGraphql } from '../../support/sealed-graphql.ts';
import { type DatabaseKind, describeOnBothDatabases } from '../../support/store.ts';
import { createTestApiKey, dataOf } from '../../support/tenant.ts';
import { openRig, type Rig } from '../rig.ts';

const TICKET = 'input: { integrationId: $int, subject: "New", comment: { body: "Text", public: true } }';
const SLOW = { kind: 'latency', milliseconds: 400 } as const;

const created = ({ gateway }: Rig) =>
  gateway.simulator.requests.entries.filter(({ method }) => method === 'POST').length;

describeOnBothDatabases('a right that is taken back', (database: DatabaseKind) => {
  const open = () => openRig({ database, transport: { headersTimeout: 20_000 } });

  const asAdmin = async ({ gateway, tenant }: Rig, text: string, variables: object = {}) =>
    dataOf(
      await gateway.graphql(text, {
        apiKey: tenant.keys.admin,
        variables: text.includes('$int') ? { int: tenant.integrationId, ...variables } : variables,
      }),
    );

  const DISABLE =
    'mutation($int: ID!) { updateIntegration(input: { id: $int, enabled: false }) { integration { id } } }';
  const NARROW =
    'mutation($int: ID!) { updateIntegration(input: { id: $int, allowedOperations: [] }) { integration { id } } }';

  /** Takes something back while the first call of `method` is under way, and resolves to the answer of `text`. */
  async function during(
    rig: Rig,
    text: string,
    {
      method,
      apiKey,
      takeBack,
    }: { method: 'GET' | 'POST'; apiKey?: string; takeBack: () => Promise<unknown> },
  ) {
    const { simulator } = rig.gateway;
    simulator.faults.add({ method, count: 1, effect: SLOW });
    const arrived = simulator
      .waitForRequest((one) => one.method === method, { after: simulator.requests.total })
      .then(takeBack);
    const answer = await sealedGraphql(rig.gateway, rig.tenant, text, {
      variables: { int: rig.tenant.integrationId },
      ...(apiKey === undefined ? {} : { apiKey }),
    });
    await arrived;
    return answer;
  }

  const codeOf = (errors: { extensions: { code: string; mutation?: string } }[], at: number) => [
    errors[at]?.extensions.code,
    errors[at]?.extensions.mutation,
  ];

  it('by the document itself stops the changes that follow', async () => {
    await using rig = await open();
    const apiKey = await createTestApiKey(rig.gateway, rig.tenant.keys.admin, {
      roles: ['AGENT', 'ADMIN'],
      clientKeyId: rig.tenant.keyFile.key_id,
    });
    const { result } = await sealedGraphql(
      rig.gateway,
      rig.tenant,
      `mutation($int: ID!) {
        a: createTicket(${TICKET}) { ticket { id } }
        off: updateIntegration(input: { id: $int, enabled: false, allowedOperations: [] }) { integration { id } }
        b: createTicket(${TICKET}) { ticket { id } }
        gone: deleteIntegration(id: $int) { deletedId }
        c: createTicket(${TICKET}) { ticket { id } }
      }`,
      { apiKey, variables: { int: rig.tenant.integrationId } },
    );
    expect(created(rig)).toBe(1);
    const errors = result['errors'];
    expect([codeOf(errors, 0), codeOf(errors, 1)]).toEqual([
      ['OPERATION_NOT_ALLOWED', 'NOT_SENT'],
      ['NOT_FOUND', 'NOT_SENT'],
    ]);
    const denied = (await rig.events()).filter(
      (event) => event.phase === 'SINGLE' && event.outcome === 'DENIED',
    );
    expect(denied.map(({ operation, denialReason }) => [operation, denialReason])).toEqual([
      ['create_ticket', 'OPERATION_NOT_ALLOWED'],
      ['create_ticket', 'NOT_FOUND'],
      // The operation's own event tells its first error.
      [undefined, 'OPERATION_NOT_ALLOWED'],
    ]);
  });

  const TWO = `mutation($int: ID!) {
    a: createTicket(${TICKET}) { ticket { id } }
    b: createTicket(${TICKET}) { ticket { id } }
  }`;

  it('with the integration between two changes stops the second', async () => {
    await using rig = await open();
    const { result } = await during(rig, TWO, { method: 'POST', takeBack: () => asAdmin(rig, DISABLE) });
    expect(created(rig)).toBe(1);
    expect(codeOf(result['errors'], 0)).toEqual(['CONFLICT', 'NOT_SENT']);
  });

  it('with the credential between two changes stops the second', async () => {
    await using rig = await open();
    const rotate =
      'mutation($id: ID!) { rotateCredential(input: { id: $id, secret: { username: "a@example.com", password: "other" } }) { credential { version } } }';
    const { result } = await during(rig, TWO, {
      method: 'POST',
      takeBack: () => asAdmin(rig, rotate, { id: rig.tenant.credentialId }),
    });
    expect(created(rig)).toBe(1);
    expect(codeOf(result['errors'], 0)).toEqual(['CONFLICT', 'NOT_SENT']);
  });

  it('with the API key between two changes stops the second, and the answer stays', async () => {
    await using rig = await open();
    const apiKey = await createTestApiKey(rig.gateway, rig.tenant.keys.admin, {
      roles: ['AGENT'],
      clientKeyId: rig.tenant.keyFile.key_id,
    });
    const id = `api_${apiKey.split('_')[2]}`;
    const { status, result } = await during(rig, TWO, {
      method: 'POST',
      apiKey,
      takeBack: () => asAdmin(rig, 'mutation($id: ID!) { revokeApiKey(id: $id) { apiKey { id } } }', { id }),
    });
    expect(created(rig)).toBe(1);
    expect(status).toBe(401);
    expect(codeOf(result['errors'], 0)).toEqual(['UNAUTHENTICATED', 'APPLIED']);
  });

  it('with the end of the API key between two changes stops the second', async () => {
    await using rig = await open();
    const apiKey = await createTestApiKey(rig.gateway, rig.tenant.keys.admin, {
      roles: ['AGENT'],
      clientKeyId: rig.tenant.keyFile.key_id,
      expiresAt: new Date(rig.clock.now() + 20_000).toISOString(),
    });
    const { status } = await during(rig, TWO, {
      method: 'POST',
      apiKey,
      takeBack: async () => rig.clock.advance(20_000),
    });
    expect(created(rig)).toBe(1);
    expect(status).toBe(401);
  });

  it.each([
    ['switched off', DISABLE, 'CONFLICT'],
    ['narrowed', NARROW, 'OPERATION_NOT_ALLOWED'],
  ])('with the integration %s under a read keeps its answer back', async (_what, text, code) => {
    await using rig = await open();
    const query = 'query($int: ID!) { integration(id: $int) { ticket(id: "4") { subject } } }';
    const { header, result } = await during(rig, query, {
      method: 'GET',
      takeBack: () => asAdmin(rig, text),
    });
    expect(header).toBeNull();
    expect(codeOf(result['errors'], 0)[0]).toBe(code);
    expect(result['data'] ?? null).toBeNull();
    expect((await rig.events()).at(-1)).toMatchObject({ denialReason: code });
  });

  it('by itself is told, and nothing is done after it', async () => {
    await using rig = await open();
    const apiKey = await createTestApiKey(rig.gateway, rig.tenant.keys.admin, { roles: ['ADMIN'] });
    const id = `api_${apiKey.split('_')[2]}`;
    const { json } = await rig.gateway.graphql(
      `mutation($id: ID!) {
        revokeApiKey(id: $id) { apiKey { id } }
        createApiKey(input: { name: "back door", roles: [ADMIN] }) { secret }
      }`,
      { apiKey, variables: { id } },
    );
    expect(json.errors).toMatchObject([{ path: ['createApiKey'], extensions: { code: 'UNAUTHENTICATED' } }]);
    const keys: { apiKeys?: { edges: { node: { name: string } }[] } } = await asAdmin(
      rig,
      '{ apiKeys(first: 50) { edges { node { name revokedAt } } } }',
    );
    expect(keys.apiKeys?.edges.map(({ node }) => node.name)).not.toContain('back door');
    const [own, refused] = (await rig.events()).filter(({ actor }) => actor.id === id);
    expect([own, refused]).toMatchObject([
      { action: 'api-key.revoke', outcome: 'SUCCEEDED' },
      { action: 'api-key.create', outcome: 'DENIED', denialReason: 'UNAUTHENTICATED' },
    ]);
  });

  it('ends a key once where two end each other at the same time', async () => {
    await using rig = await open();
    const keys = await Promise.all(
      [1, 2].map(() => createTestApiKey(rig.gateway, rig.tenant.keys.admin, { roles: ['ADMIN'] })),
    );
    const [one, two] = keys.map((key) => ({ key, id: `api_${key.split('_')[2]}` }));
    const revoke = (apiKey = '', id = '') =>
      rig.gateway.graphql('mutation($id: ID!) { revokeApiKey(id: $id) { apiKey { id } } }', {
        apiKey,
        variables: { id },
      });
    const answers = await Promise.all([revoke(one?.key, two?.id), revoke(two?.key, one?.id)]);
    for (const { json } of answers) {
      expect([undefined, 'UNAUTHENTICATED']).toContain(json.errors?.[0]?.extensions.code);
    }
    const done = (await rig.events()).filter(
      (event) =>
        event.action === 'api-key.revoke' && event.phase === 'SINGLE' && event.outcome === 'SUCCEEDED',
    );
    expect(done).toHaveLength(1);
  });
});
