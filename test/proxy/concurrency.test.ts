/** Many calls at once, and callers who do not stay for the answer. */
import { expect, it } from 'vitest';
import { systemClock } from '../../src/base/index.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { openRig, refusalOf } from './rig.ts';

describeOnBothDatabases('a hundred calls at once', (kind) => {
  it('of one tenant are all answered, and their log has no gap and no double', async () => {
    // The stand-in for Zendesk runs in this thread, which has a hundred calls to see to.
    const transport = { headersTimeout: 20_000 };
    await using rig = await openRig({ database: kind, clock: systemClock, transport });
    const { tenant } = rig;
    const operations = [
      ['get_ticket', { ticket_id: 7 }],
      ['search', { query: 'lamp' }],
      ['list_users', {}],
      ['update_ticket', { ticket_id: 280, priority: 'low' }],
    ] as const;
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => {
        const [operation, payload] = operations[index % operations.length] ?? operations[0];
        return tenant.proxy(operation, payload);
      }),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const named = answers.map(({ json }) => json.audit_event_id);
    expect(new Set(named).size).toBe(100);
    const events = await rig.events();
    expect(events.map(({ index }) => index)).toEqual(events.map((_, position) => position));
    const calls = events.filter(({ action }) => action === 'zendesk.call');
    expect(calls.filter(({ phase }) => phase === 'INTENT')).toHaveLength(25);
    expect(
      calls
        .filter(({ phase }) => phase !== 'INTENT')
        .map(({ id }) => id)
        .sort(),
    ).toEqual(named.sort());
    for (const one of answers.slice(0, 8)) expect((await tenant.open(one.json)).value).toBeTypeOf('object');
  });

  it('lose only the one whose caller goes away, whose read is broken off and recorded', async () => {
    await using rig = await openRig({ database: kind });
    const { gateway, tenant } = rig;
    gateway.simulator.faults.add({ path: '/api/v2/search', effect: { kind: 'hang' } });
    const leaving = new AbortController();
    const arrived = gateway.simulator
      .waitForRequest(({ path }) => path === '/api/v2/search')
      .then(() => leaving.abort(new Error('The client went away')));
    const others = Array.from({ length: 10 }, () => tenant.proxy('get_ticket', { ticket_id: 7 }));
    const answer = await gateway.send('/api/v2/proxy/outbound', {
      apiKey: tenant.keys.agent,
      signal: leaving.signal,
      json: { integration_id: tenant.integrationId, operation: 'search', payload: { query: 'lamp' } },
    });
    await arrived;
    const refusal = refusalOf(answer);
    expect(refusal.code).toBe('UPSTREAM_UNAVAILABLE');
    expect(await rig.eventOf(refusal.auditEventId)).toMatchObject({ outcome: 'FAILED', operation: 'search' });
    // One try: nobody waits for a second.
    expect(gateway.simulator.requests.entries.filter(({ path }) => path === '/api/v2/search')).toHaveLength(
      1,
    );
    expect((await Promise.all(others)).map(({ status }) => status)).toEqual(others.map(() => 200));
  });
});
