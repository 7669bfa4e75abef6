/** What is loaded side by side is sealed once: nothing is made for a number that another append took. */
import { expect, test } from 'vitest';
import { describeOnBothDatabases } from '../../support/store.ts';
import { openSourceRig } from './source-rig.ts';

/** More than one load takes, so that several are under way at once. */
const MANY = 220;

describeOnBothDatabases('A process that loads more than one batch at a time', (kind) => {
  test('seals every change once for each key', async () => {
    await using rig = await openSourceRig(kind);
    const { simulator, deps } = rig;
    await rig.enable();
    const follower = await rig.follow();
    // The export tells of all at once.
    simulator.webhooks.disturb({ loss: 1 });
    for (let count = 0; count < MANY; count += 1) {
      simulator.tickets.create({ subject: `Lamp ${count}`, comment: { body: 'It flickers.' } });
    }
    const before = deps.feed.sealer.sealed;
    rig.startWorker();
    await follower.until(() => follower.changes.length === MANY);
    expect(deps.feed.sealer.sealed - before).toBe(MANY);
  });
});
