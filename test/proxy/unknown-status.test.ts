/** A status that HTTP does not know, from whatever stands between the gateway and Zendesk. */
import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import { createZendeskConnections } from '../../src/proxy/index.ts';
import { createServices, ensureInstallation } from '../../src/service/index.ts';
import { openAccountLimiters, openZendeskTransport } from '../../src/zendesk/index.ts';
import { createMemoryLedger } from '../support/memory-ledger.ts';
import { openRig } from './rig.ts';

it('is recorded with the change that it answers, whose outcome and intent the caller is told', async () => {
  await using rig = await openRig();
  await using resources = new AsyncDisposableStack();
  const server = createServer((_request, response) => response.writeHead(700).end('{}'));
  resources.defer(() => new Promise<void>((resolve) => server.close(() => resolve())));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : null;
  const { deps } = rig.gateway;
  const transport = resources.use(openZendeskTransport({}));
  const connections = createZendeskConnections({
    ...deps,
    transport,
    limiters: resources.use(
      openAccountLimiters({ ledger: createMemoryLedger(deps.clock), clock: deps.clock }),
    ),
    originTemplate: `http://127.0.0.1:${port}`,
  });
  const services = createServices({ ...deps, connections }, (await ensureInstallation(deps)).id);
  const caller = await services.authenticate(rig.tenant.keys.agent, null);
  const call = {
    caller,
    requestId: 'unknown-status',
    ip: null,
    requestTarget: 'POST /test',
    requestSha256: Buffer.alloc(32).toString('base64url'),
    clientNonce: null,
    recipientKeyId: null,
    acceptsSealedErrors: false,
    parentEventId: null,
    signal: new AbortController().signal,
  };
  const input = {
    integrationId: rig.tenant.integrationId,
    operation: 'update_ticket',
    payload: { ticket_id: 295, subject: 'Changed' },
  };
  const failure = await services.proxyOutbound(call, input).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    details: { mutation: 'UNKNOWN', intentId: expect.stringMatching(/^aud_/) },
  });
  const event = (await rig.events()).at(-1);
  expect(event).toMatchObject({ phase: 'OUTCOME', outcome: 'UNKNOWN', upstreamStatus: 700 });
});
