import { describe, expect, it } from 'vitest';
import { API_KEY } from '../fake-gateway.ts';
import { changed } from './feed-log.ts';
import { openRig, TRANSPORTS, take } from './rig.ts';

describe.each(TRANSPORTS)('changes over %s', (transport) => {
  it('come opened, in order, with what proves them', async () => {
    const rig = await openRig(transport);
    rig.log.append(changed(1), changed(2), {
      v: 1,
      kind: 'DELETED',
      ticket_id: 1,
      permanent: false,
      changes: ['DELETED'],
    });
    const changes = rig.follow();
    expect([changes.cursor, changes.position]).toEqual([rig.log.cursor(0), null]);
    const taken = await take(changes, 3);
    expect(taken.map(({ content }) => content)).toEqual(
      [1, 2, 3].map((sequence) => rig.log.content(sequence)),
    );
    expect(taken.map(({ sequence, cursor }) => [sequence, cursor])).toEqual(
      [1, 2, 3].map((n) => [n, rig.log.cursor(n)]),
    );
    const [first] = taken;
    expect(first?.auditEventId).toBe((await rig.log.change(1)).envelope.audit_event_id);
    expect(first?.transcriptSha256).toMatch(/^[\w-]{43}$/);
    expect(first?.occurredAt).toEqual(new Date(rig.clock.now()));
    expect(changes.cursor).toBe(rig.log.cursor(3));
    expect(changes.position).toEqual({
      sequence: 3,
      issuedAt: new Date(rig.clock.now()),
      completeUntil: new Date('2025-12-06T05:46:00Z'),
    });
    expect(rig.states.map(({ kind }) => kind)).toEqual(['CONNECTING', 'FOLLOWING']);
    expect(rig.server.logins).toEqual([{ apiKey: API_KEY, clientKey: rig.gateway.fake.keyId }]);
    expect(await changes.return()).toEqual({ done: true, value: undefined });
    expect(await changes.next()).toEqual({ done: true, value: undefined });
    expect(rig.server.failures).toEqual([]);
  });
});
