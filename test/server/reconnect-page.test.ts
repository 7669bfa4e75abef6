/** The page behind the link that callers get: open to anybody, and telling nobody anything. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ListeningGateway, openListeningGateway } from '../support/listening-gateway.ts';
import { createTestTenant, type TestTenant } from '../support/tenant.ts';

let listening: ListeningGateway;
let tenant: TestTenant;
beforeAll(async () => {
  listening = await openListeningGateway();
  tenant = await createTestTenant(listening.gateway);
});
afterAll(() => listening[Symbol.asyncDispose]());

const open = (id: string, method = 'GET') =>
  fetch(`${listening.url}/oauth/zendesk/reconnect/${id}`, { method });

it('says how to connect again, the same whether there is such an integration or not', async () => {
  const known = await open(tenant.integrationId);
  const text = await known.text();
  expect(known.status).toBe(200);
  expect(text).toContain('sealdesk connect INTEGRATION');
  expect(text).toContain('connectZendesk');
  for (const id of ['int_nothing', '', encodeURIComponent('<script>alert(1)</script>')]) {
    const other = await open(id);
    expect(other.status).toBe(200);
    expect(await other.text()).toBe(text);
  }
});

it('runs nothing, is framed nowhere and kept nowhere', async () => {
  const { headers } = await open(tenant.integrationId);
  expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('set-cookie')).toBeNull();
});

it('is read only, and not by a crowd from one address', async () => {
  const posted = await open(tenant.integrationId, 'POST');
  expect(posted.status).toBe(400);
  expect(posted.headers.get('allow')).toBe('GET');
  let status = 200;
  for (let asked = 0; asked < 5_000 && status === 200; asked += 50) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => open('int_nothing')));
    await Promise.all(answers.map((answer) => answer.arrayBuffer()));
    status = answers.find((answer) => answer.status !== 200)?.status ?? 200;
  }
  expect(status).toBe(429);
});
