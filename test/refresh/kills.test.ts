/**
 * A gateway that dies between any two steps of a refresh, kill -9: the next one either works on, or says exactly what
 * an admin has to do. The process is held from outside: by a relay in front of its database and by a stand-in in front
 * of Zendesk, each of which stands still at a named point.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openLocalKms } from '../../src/kms/index.ts';
import { CLAIM_LIFETIME_MS } from '../../src/proxy/renew-token.ts';
import { buildProgram } from '../feed/faults/build-program.ts';
import { type GatewayProcess, type GatewaySpec, openGatewayProcess } from '../feed/faults/gateway-process.ts';
import { openTestGateway, type TestGateway } from '../support/gateway.ts';
import { describeOnPostgres } from '../support/store.ts';
import { createTestTenant, type TestTenant } from '../support/tenant.ts';
import { type HeldRelay, openHeldRelay } from './held-relay.ts';
import {
  connectionOf,
  issuePair,
  rotateCredential,
  sealSecret,
  TOKEN_PATH,
  updateIntegration,
} from './pair.ts';
import { openZendeskFront, type ZendeskFront } from './zendesk-front.ts';

/** What the statements of the claim and of the store begin with. */
const CLAIM = 'insert into "access_tokens"';
const STORE = 'update "access_tokens" set "version"';
const TICKET_PATH = '/api/v2/tickets/7.json';

interface Place {
  /** Resolves when the process stands there. */
  readonly reach: (rig: Rig) => Promise<void>;
  readonly outcome: 'WORKS_ON' | 'LOST_IN_REFRESH';
  /** Token calls that Zendesk has answered when all is over. */
  readonly tokenCalls: number;
}

interface Rig {
  readonly relay: HeldRelay;
  readonly zendesk: ZendeskFront;
}

const PLACES: Readonly<Record<string, Place>> = {
  'before its claim, with the data key in hand': {
    reach: ({ relay }) => relay.hold(CLAIM, 'STATEMENT'),
    outcome: 'WORKS_ON',
    tokenCalls: 1,
  },
  'before its claim is committed': {
    reach: ({ relay }) => relay.hold(CLAIM, 'ANSWER'),
    outcome: 'WORKS_ON',
    tokenCalls: 1,
  },
  'with its claim, before Zendesk hears of it': {
    reach: ({ zendesk }) => zendesk.hold(TOKEN_PATH, 'CALL'),
    outcome: 'WORKS_ON',
    tokenCalls: 1,
  },
  'before Zendesk’s answer, which gave out a new pair, reaches it': {
    reach: ({ zendesk }) => zendesk.hold(TOKEN_PATH, 'ANSWER'),
    outcome: 'LOST_IN_REFRESH',
    tokenCalls: 2,
  },
  'with the new pair in hand, before it is stored': {
    reach: ({ relay }) => relay.hold(STORE, 'STATEMENT'),
    outcome: 'LOST_IN_REFRESH',
    tokenCalls: 2,
  },
  'with the new pair sent to the database, before it is committed': {
    reach: ({ relay }) => relay.hold(STORE, 'ANSWER'),
    outcome: 'LOST_IN_REFRESH',
    tokenCalls: 2,
  },
  'with the new pair stored, before it is used': {
    reach: ({ zendesk }) => zendesk.hold(TICKET_PATH, 'CALL'),
    outcome: 'WORKS_ON',
    tokenCalls: 1,
  },
};

describeOnPostgres('a gateway that is killed in a refresh', () => {
  const resources = new AsyncDisposableStack();
  let gateway: TestGateway;
  let tenant: TestTenant;
  let zendesk: ZendeskFront;
  let start: (databaseUrl: string, clockOffsetMs: number) => Promise<GatewayProcess>;
  let databaseUrl: URL;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sealdesk-refresh-'));
    resources.defer(() => rm(folder, { recursive: true, force: true }));
    const keyFile = join(folder, 'kms.key');
    const kms = resources.use(await openLocalKms({ file: keyFile, createIfMissing: true }));
    gateway = resources.use(await openTestGateway({ database: 'postgres', kms }));
    tenant = await createTestTenant(gateway);
    zendesk = resources.use(await openZendeskFront(gateway.simulator.url));
    databaseUrl = new URL(gateway.connectionString ?? '');
    const program = await buildProgram(folder);
    const spec: Omit<GatewaySpec, 'databaseUrl' | 'clockOffsetMs'> = {
      ...{ keyFile, zendeskOrigin: zendesk.url, publicUrl: 'http://localhost:4000', times: {} },
      ...{ tailPollMs: 500, foundsInstallation: false },
    };
    start = (url, clockOffsetMs) => openGatewayProcess(program, { ...spec, databaseUrl: url, clockOffsetMs });
  });
  afterAll(() => resources.disposeAsync());

  const read = async ({
    url,
  }: GatewayProcess): Promise<{ status: number; json: ReturnType<typeof JSON.parse> }> => {
    const response = await fetch(`${url}/api/v2/proxy/outbound`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': tenant.keys.agent },
      body: JSON.stringify({
        integration_id: tenant.integrationId,
        operation: 'get_ticket',
        payload: { ticket_id: 7 },
      }),
    });
    return { status: response.status, json: await response.json() };
  };

  it.each(Object.entries(PLACES))(
    '%s',
    async (_, place) => {
      await using held = new AsyncDisposableStack();
      const { secret } = issuePair(gateway.simulator, { expiresIn: 10 });
      const credentialId = await sealSecret(gateway, tenant, secret);
      await updateIntegration(gateway, tenant, { credentialId });
      const before = zendesk.answered(TOKEN_PATH);

      const relay = held.use(
        await openHeldRelay({ host: databaseUrl.hostname, port: Number(databaseUrl.port || 5432) }),
      );
      const throughRelay = new URL(databaseUrl);
      throughRelay.hostname = '127.0.0.1';
      throughRelay.port = String(relay.port);
      const first = held.use(await start(throughRelay.href, 0));
      const reached = place.reach({ relay, zendesk });
      const lost = read(first).catch(() => null);
      await reached;
      await first.kill();
      expect(await lost).toBeNull();

      // As if a minute had passed, after which the claim of the dead one is over.
      const second = held.use(await start(databaseUrl.href, CLAIM_LIFETIME_MS + 1_000));
      const answer = await read(second);
      const { connection } = await connectionOf(gateway, tenant);
      expect(zendesk.answered(TOKEN_PATH) - before).toBe(place.tokenCalls);
      if (place.outcome === 'WORKS_ON') {
        expect(answer.status).toBe(200);
        expect(connection).toMatchObject({ status: 'CONNECTED', reconnectReason: null });
        return;
      }
      expect(answer).toMatchObject({ status: 424, json: { error: { code: 'NEEDS_RECONNECT' } } });
      expect(answer.json.error.message).toContain(`sealdesk connect ${tenant.integrationId}`);
      expect(connection).toMatchObject({ status: 'NEEDS_RECONNECT', reconnectReason: place.outcome });
      expect(connection['remedy']).toContain(`sealdesk connect ${tenant.integrationId}`);
      // What it says is what mends it.
      await rotateCredential(gateway, tenant, credentialId, issuePair(gateway.simulator).secret);
      expect((await read(second)).status).toBe(200);
    },
    60_000,
  );
});
