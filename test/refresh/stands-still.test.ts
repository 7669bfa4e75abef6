/**
 * A gateway that stands still for ever at any of its steps to the database while it refreshes, as one that was killed
 * does: on either database, the next one works on, or says exactly what an admin has to do. That real processes die
 * so is in kills.test.ts.
 */
import { expect, it } from 'vitest';
import { silentLog } from '../../src/base/index.ts';
import { createNodeSuite } from '../../src/envelope/node.ts';
import { createZendeskConnections } from '../../src/proxy/index.ts';
import { CLAIM_LIFETIME_MS } from '../../src/proxy/renew-token.ts';
import type { Store } from '../../src/store/index.ts';
import { openKeyring } from '../../src/vault/index.ts';
import { openAccountLimiters, openZendeskTransport } from '../../src/zendesk/index.ts';
import { openRig, type Rig, refusalOf } from '../proxy/rig.ts';
import { createMemoryLedger } from '../support/memory-ledger.ts';
import { createPatientClock } from '../support/steady-clocks.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { wrappedStore } from '../support/wrapped-store.ts';
import { connectionOf, issuePair, rotateCredential, sealSecret, updateIntegration } from './pair.ts';

/** `store` of a process that stands still from its step number `at` on. */
function standingAt(store: Store, at: number): { readonly store: Store; readonly stands: Promise<void> } {
  const { promise: stands, resolve } = Promise.withResolvers<void>();
  let steps = 0;
  const walk =
    <Rest extends readonly unknown[], Result>(work: (...rest: Rest) => Promise<Result>) =>
    (...rest: Rest): Promise<Result> => {
      steps += 1;
      if (steps < at) return work(...rest);
      resolve();
      return new Promise(() => undefined);
    };
  const standing = wrappedStore(store, {
    withTenant: walk(store.withTenant.bind(store)) as Store['withTenant'],
    withSystem: walk(store.withSystem.bind(store)) as Store['withSystem'],
    runAtOnce: walk(store.runAtOnce.bind(store)) as Store['runAtOnce'],
  });
  return { store: standing, stands };
}

/** Another gateway's call, which refreshes on the way; whether it came to its end before it stood still. */
async function callUntil(rig: Rig, credentialId: string, at: number): Promise<boolean> {
  const { gateway, tenant, clock } = rig;
  await using resources = new AsyncDisposableStack();
  const { store, stands } = standingAt(gateway.store, at);
  const keyring = resources.use(
    openKeyring({ store, kms: gateway.deps.kms, suite: createNodeSuite(), clock, log: silentLog }),
  );
  const connections = createZendeskConnections({
    ...{ store, keyring, clock, log: silentLog, originTemplate: gateway.simulator.url },
    transport: resources.use(openZendeskTransport()),
    limiters: resources.use(
      openAccountLimiters({ ledger: createMemoryLedger(clock), clock: createPatientClock(clock) }),
    ),
  });
  const call = connections
    .clientFor({ tenantId: tenant.id, subdomain: 'acme', credentialId })
    .request({ method: 'GET', path: '/api/v2/tickets/7.json', mutation: false })
    .then(
      ({ status }) => status === 200,
      () => false,
    );
  // Waited for: what it works with is closed at the end of this function.
  return await Promise.race([call, stands.then(() => false)]);
}

describeOnBothDatabases('a gateway that stands still in a refresh', (database) => {
  it('leaves a connection that works on, or says what mends it, wherever it stands', async () => {
    await using rig = await openRig({ database });
    const { gateway, tenant, clock } = rig;
    const read = () => tenant.proxy('get_ticket', { ticket_id: 7 });
    const outcomes: string[] = [];
    for (let at = 1, isOver = false; !isOver; at += 1) {
      const { secret } = issuePair(gateway.simulator, { now: clock.now(), expiresIn: 20 });
      const credentialId = await sealSecret(gateway, tenant, secret);
      await updateIntegration(gateway, tenant, { credentialId });
      isOver = await callUntil(rig, credentialId, at);
      clock.advance(CLAIM_LIFETIME_MS + 1_000);
      const answer = await read();
      const { connection } = await connectionOf(gateway, tenant);
      if (answer.status === 200) {
        expect(connection).toMatchObject({ status: 'CONNECTED', reconnectReason: null });
        outcomes.push('WORKS_ON');
        continue;
      }
      expect(refusalOf(answer)).toMatchObject({ status: 424, code: 'NEEDS_RECONNECT' });
      expect(refusalOf(answer).message).toContain(`sealdesk connect ${tenant.integrationId}`);
      expect(connection).toMatchObject({ status: 'NEEDS_RECONNECT' });
      outcomes.push(String(connection['reconnectReason']));
      const next = issuePair(gateway.simulator, { now: clock.now() });
      await rotateCredential(gateway, tenant, credentialId, next.secret);
      expect((await read()).status).toBe(200);
    }
    // Lost is the pair only where Zendesk had given it out and it was not stored yet.
    expect(outcomes.join(' ')).toMatch(/^(WORKS_ON )+(LOST_IN_REFRESH )+(WORKS_ON ?)+$/);
  });
});
