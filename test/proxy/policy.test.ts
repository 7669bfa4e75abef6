/** Who may run what, asked over HTTP; `explainOperation` must say the same. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ALL_OPERATIONS,
  createTestApiKey,
  createTestTenant,
  dataOf,
  type TestTenant,
} from '../support/tenant.ts';
import { NEW_TICKET, openRig, type Rig, refusalOf } from './rig.ts';

const PAYLOADS: Readonly<Record<string, object>> = {
  list_tickets: {},
  get_ticket: { ticket_id: 7 },
  create_ticket: NEW_TICKET,
  update_ticket: { ticket_id: 290, priority: 'high' },
  list_users: {},
  list_organizations: {},
  search: { query: 'lamp' },
};

describe('policy', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  const explain = async (tenant: TestTenant, operation: string, apiKeyId: string) => {
    const answer = await rig.gateway.graphql(
      `query($integrationId: ID!, $operation: String!, $apiKeyId: ID) {
        explainOperation(integrationId: $integrationId, operation: $operation, apiKeyId: $apiKeyId) { allowed reason message }
      }`,
      { apiKey: tenant.keys.admin, variables: { integrationId: tenant.integrationId, operation, apiKeyId } },
    );
    return dataOf(answer)['explainOperation'] ?? { allowed: null, reason: null, message: null };
  };
  /** `sd_live_{id}_{secret}` holds the id of the key. */
  const idOf = (apiKey: string): string => `api_${apiKey.split('_')[2]}`;

  it('permits nothing on an integration without allowed operations, and Zendesk hears of nothing', async () => {
    const tenant = await createTestTenant(rig.gateway, { name: 'Default deny', allowedOperations: [] });
    const before = rig.calls();
    for (const operation of ALL_OPERATIONS) {
      const refusal = refusalOf(await tenant.proxy(operation, PAYLOADS[operation]));
      expect(refusal).toMatchObject({ status: 403, code: 'OPERATION_NOT_ALLOWED' });
      expect(await explain(tenant, operation, idOf(tenant.keys.agent))).toMatchObject({
        allowed: false,
        reason: 'INTEGRATION_POLICY',
        message: refusal.message,
      });
    }
    expect(rig.calls()).toBe(before);
  });

  it('lets an API key narrow what the integration allows, never widen it', async () => {
    const { gateway } = rig;
    const tenant = await createTestTenant(gateway, {
      name: 'Narrow',
      allowedOperations: ['get_ticket', 'search'],
    });
    const key = await createTestApiKey(gateway, tenant.keys.admin, {
      roles: ['AGENT'],
      clientKeyId: tenant.keyFile.key_id,
      allowedOperations: ['get_ticket', 'list_users'],
    });
    const expected = { get_ticket: null, search: 'API_KEY_POLICY', list_users: 'INTEGRATION_POLICY' };
    for (const [operation, reason] of Object.entries(expected)) {
      const answer = await tenant.proxy(operation, PAYLOADS[operation], { apiKey: key });
      expect(answer.status).toBe(reason === null ? 200 : 403);
      expect(await explain(tenant, operation, idOf(key))).toMatchObject({ allowed: reason === null, reason });
    }
  });

  it('lets DASHBOARD read and not write, and ADMIN, AUDITOR and OPERATOR neither', async () => {
    const { tenant, gateway } = rig;
    const { keys } = tenant;
    const before = rig.calls('POST') + rig.calls('PUT');
    for (const [operation, mutates] of [
      ['get_ticket', false],
      ['create_ticket', true],
      ['update_ticket', true],
    ] as const) {
      const run = (apiKey: string) => tenant.proxy(operation, PAYLOADS[operation], { apiKey });
      expect((await run(keys.dashboard)).status).toBe(mutates ? 403 : 200);
      for (const apiKey of [keys.admin, keys.auditor]) {
        expect(refusalOf(await run(apiKey))).toMatchObject({ status: 403, code: 'FORBIDDEN' });
        expect(await explain(tenant, operation, idOf(apiKey))).toMatchObject({ reason: 'ROLE' });
      }
      // Of another tenant, so that the integration is not even there.
      expect(refusalOf(await run(gateway.operatorKey))).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    }
    expect(rig.calls('POST') + rig.calls('PUT')).toBe(before);
  });

  it('refuses an unknown operation without writing its name into the log', async () => {
    const { tenant } = rig;
    for (const operation of ['delete_everything', 'toString', '__proto__', '']) {
      const refusal = refusalOf(await tenant.proxy(operation, {}));
      expect(refusal).toMatchObject({ status: 403, code: 'OPERATION_NOT_ALLOWED' });
      const event = await rig.eventOf(refusal.auditEventId);
      expect(event).toMatchObject({ outcome: 'DENIED', denialReason: 'OPERATION_NOT_ALLOWED' });
      expect(event).not.toHaveProperty('operation');
    }
    expect(await explain(tenant, 'delete_everything', idOf(tenant.keys.agent))).toMatchObject({
      allowed: false,
      reason: 'UNKNOWN_OPERATION',
    });
  });

  it('shows another tenant’s integration to nobody, and one switched off to nobody either', async () => {
    const { gateway } = rig;
    const tenant = await createTestTenant(gateway, { name: 'Switched off' });
    const answer = await gateway.send('/api/v2/proxy/outbound', {
      apiKey: tenant.keys.agent,
      json: { integration_id: rig.tenant.integrationId, operation: 'get_ticket', payload: { ticket_id: 1 } },
    });
    expect(refusalOf(answer)).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    dataOf(
      await gateway.graphql(
        'mutation($input: UpdateIntegrationInput!) { updateIntegration(input: $input) { integration { status } } }',
        {
          apiKey: tenant.keys.admin,
          variables: { input: { id: tenant.integrationId, enabled: false } },
        },
      ),
    );
    const refusal = refusalOf(await tenant.proxy('get_ticket', { ticket_id: 1 }));
    expect(refusal).toMatchObject({ status: 409, code: 'CONFLICT' });
  });

  it('names every refused field of a payload, never its value, and sends nothing', async () => {
    const { tenant } = rig;
    const before = rig.calls();
    const refusal = refusalOf(
      await tenant.proxy('create_ticket', {
        subject: 7,
        priority: 'canary-priority',
        comment: { body: 'canary-text' },
      }),
    );
    expect(refusal).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
    const paths = refusal.details.fields.map(({ path }: { path: string }) => path).sort();
    expect(paths).toEqual(['comment.public', 'priority', 'subject']);
    expect(JSON.stringify(refusal)).not.toContain('canary');
    expect(rig.calls()).toBe(before);
  });
});
