/** Changes at Zendesk become entries of the feed, by webhook or by export, whatever happens to the ticket. */
import { expect, test } from 'vitest';
import { describeOnBothDatabases } from '../../support/store.ts';
import { eventually, openTicket, useSourceRigs } from './source-rig.ts';

describeOnBothDatabases('A change of a ticket', (kind) => {
  const open = useSourceRigs(kind);

  test('is in the feed with what changed and what was before, as Zendesk shows the ticket', async () => {
    await using rig = await open();
    const { simulator } = rig;
    await rig.enable();
    const follower = await rig.follow();
    const worker = rig.startWorker();
    const id = simulator.tickets.create({
      ...{ subject: 'Lamp', comment: { body: 'It flickers.' }, priority: 'low' },
    });
    await follower.until((change) => change.kind === 'CHANGED' && change.changes.includes('CREATED'));
    await worker[Symbol.asyncDispose]();
    simulator.tickets.change(id, { priority: 'urgent', subject: 'Lamp on fire' });
    await simulator.webhooks.untilDelivered();
    rig.startWorker();
    const changed = await follower.until(
      (change) => change.kind === 'CHANGED' && change.ticket.priority === 'urgent',
    );
    expect(changed).toMatchObject({
      ...{ v: 1, kind: 'CHANGED', ticket_id: id },
      ticket: { id, subject: 'Lamp on fire', description: 'It flickers.', priority: 'urgent', tags: [] },
      generated_timestamp: simulator.tickets.current(id)?.['generated_timestamp'],
      previous: { priority: 'low', subject: 'Lamp' },
    });
    expect(changed).toHaveProperty('changes', expect.arrayContaining(['PRIORITY', 'SUBJECT']));
    const status = await rig.status();
    expect(status).toMatchObject({ webhook: { state: 'ACTIVE', fault: null }, repaired: 0, loadFault: null });
    expect(status.webhook.lastReceivedAt).toBeInstanceOf(Date);
  });

  test('that no webhook tells of is found by the export, and counted as repaired', async () => {
    await using rig = await open();
    const { simulator } = rig;
    await rig.enable();
    const follower = await rig.follow();
    rig.startWorker();
    simulator.webhooks.disturb({ loss: 1 });
    const id = openTicket(simulator);
    simulator.tickets.change(id, { priority: 'urgent', tags: ['lost'] });
    const changed = await follower.until((change) => change.kind === 'CHANGED' && change.ticket_id === id);
    expect(changed).toMatchObject({
      ticket: { priority: 'urgent', tags: ['lost'] },
      changes: [],
      previous: {},
    });
    const status = await eventually(rig.status, ({ repaired }) => repaired > 0);
    expect(status).toMatchObject({
      appended: 1,
      repaired: 1,
      waiting: 0,
      export: { state: 'CURRENT', fault: null },
    });
  });

  test('in Zendesk itself alone, without an update, is no entry', async () => {
    await using rig = await open();
    const { simulator } = rig;
    await rig.enable();
    const follower = await rig.follow();
    rig.startWorker();
    const first = openTicket(simulator, 0);
    const second = openTicket(simulator, 1);
    simulator.tickets.change(first, { tags: ['one'] });
    await follower.until((change) => change.kind === 'CHANGED' && change.ticket_id === first);
    const before = simulator.requests.total;
    simulator.tickets.systemUpdate(first);
    await simulator.waitForRequest(({ path }) => path.includes('incremental'), { after: before });
    simulator.webhooks.disturb({ loss: 1 });
    simulator.tickets.change(second, { tags: ['two'] });
    await follower.until((change) => change.kind === 'CHANGED' && change.ticket_id === second);
    expect(follower.of(first)).toHaveLength(1);
  });
});

describeOnBothDatabases('A ticket', (kind) => {
  const open = useSourceRigs(kind);

  test.each([
    'webhooks',
    'the export',
  ])('that is deleted, restored and scrubbed is told of so, by %s', async (way) => {
    await using rig = await open();
    const { simulator } = rig;
    await rig.enable();
    const follower = await rig.follow();
    rig.startWorker();
    if (way === 'the export') simulator.webhooks.disturb({ loss: 1 });
    const id = openTicket(simulator);
    simulator.tickets.delete(id);
    await follower.until((change) => change.kind === 'DELETED' && !change.permanent);
    simulator.tickets.restore(id);
    await follower.until((change) => change.kind === 'CHANGED' && change.ticket_id === id);
    simulator.tickets.scrub(id);
    await follower.until((change) => change.kind === 'DELETED' && change.permanent);
    expect(
      follower
        .of(id)
        .map((change) => change.kind)
        .at(-1),
    ).toBe('DELETED');
    expect(JSON.stringify(follower.changes)).not.toContain('SCRUBBED');
  });

  test('that is merged into another is closed, and told of as merged', async () => {
    await using rig = await open();
    const { simulator } = rig;
    await rig.enable();
    const follower = await rig.follow();
    const worker = rig.startWorker();
    const source = simulator.tickets.create({ subject: 'Twice', comment: { body: 'Again.' } });
    // Untouched for long: of a ticket changed within the same second a comment alone makes no other version.
    const target =
      simulator.tickets.all().find(({ id, status }) => status !== 'closed' && id !== source)?.id ?? 0;
    await follower.until((change) => change.kind === 'CHANGED' && change.ticket_id === source);
    await worker[Symbol.asyncDispose]();
    simulator.tickets.merge(target, [source]);
    await simulator.webhooks.untilDelivered();
    rig.startWorker();
    const merged = await follower.until(
      (change) =>
        change.kind === 'CHANGED' && change.ticket_id === source && change.ticket.status === 'closed',
    );
    expect(merged).toMatchObject({ ticket: { tags: ['closed_by_merge'] } });
    expect(merged).toHaveProperty('changes', expect.arrayContaining(['MERGED', 'STATUS', 'TAGS']));
    await follower.until(
      (change) =>
        change.kind === 'CHANGED' && change.ticket_id === target && change.changes.includes('COMMENT_ADDED'),
    );
  });
});
