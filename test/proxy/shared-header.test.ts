/** The Authorization header that requests of one client share. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/index.ts';
import { openRig, type Rig } from './rig.ts';

const READ = { method: 'GET', path: '/api/v2/tickets/7.json', mutation: false } as const;

describe('a header in the making', () => {
  let rig: Rig;
  /** Holds up every look into the database while it is set. */
  let gate: Promise<void> | null = null;
  beforeAll(async () => {
    const slow = (store: Store): Store => ({
      kind: store.kind,
      applied: store.applied,
      withTenant: async (tenantId, work) => {
        await gate;
        return store.withTenant(tenantId, work);
      },
      runAtOnce: async (tenantId, steps) => {
        await gate;
        return store.runAtOnce(tenantId, steps);
      },
      withSystem: (purpose, work) => store.withSystem(purpose, work),
      executeForJobs: (text, values) => store.executeForJobs(text, values),
      listen: (onNotification) => store.listen(onNotification),
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    });
    rig = await openRig({ wrapStore: slow });
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());

  it('is lost to the request that is given up, and not to those that wait with it', async () => {
    const { gateway, tenant } = rig;
    const client = gateway.deps.connections.clientFor({
      tenantId: tenant.id,
      subdomain: 'acme',
      credentialId: tenant.credentialId,
    });
    const open = Promise.withResolvers<void>();
    gate = open.promise;
    const gone = new AbortController();
    const first = client.request({ ...READ, signal: gone.signal });
    const second = client.request(READ);
    // Both have their place in the budget and wait for the header.
    await new Promise((resolve) => setImmediate(resolve));
    gone.abort(new Error('gone'));
    await expect(first).rejects.toThrow('gone');
    open.resolve();
    gate = null;
    expect((await second).status).toBe(200);
    expect(rig.calls()).toBe(1);
  });
});
