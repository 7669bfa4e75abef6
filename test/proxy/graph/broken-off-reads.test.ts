/** Reads that are broken off: what their caller is told, and what the log tells of them. */
import { expect, it } from 'vitest';
import { describeOnBothDatabases } from '../../support/store.ts';
import { openRig } from '../rig.ts';
import { openSession } from './graph-rig.ts';

describeOnBothDatabases('a read that is broken off', (database) => {
  const BROKEN_OFF = { phase: 'SINGLE', outcome: 'FAILED', denialReason: 'UPSTREAM_UNAVAILABLE' };

  it('is none that the log calls answered, neither while it is under way nor when it has ended', async () => {
    await using rig = await openRig({ database, transport: { headersTimeout: 120_000 } });
    const { simulator } = rig.gateway;
    const gone = new AbortController();
    const { account, events } = await openSession(rig, { signal: gone.signal });
    const opened = await account();
    await opened.ticket(5);
    expect(await events()).toMatchObject([{ outcome: 'SUCCEEDED' }]);
    simulator.faults.add({ method: 'GET', count: 1, effect: { kind: 'hang' } });
    const reading = opened.ticket(4);
    await simulator.waitForRequest(({ outcome }) => outcome === 'hung');
    expect(await events()).toMatchObject([BROKEN_OFF]);
    gone.abort(new Error('The operation is over'));
    await expect(reading).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      details: { auditEventId: (await events())[0]?.id },
    });
    expect(await events()).toMatchObject([BROKEN_OFF]);
  });
});
