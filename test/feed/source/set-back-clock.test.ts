/** A process whose clock is set back goes on at once: its pauses are as long as they were chosen. */
import { expect, test } from 'vitest';
import { openFeedWorker } from '../../../src/service/index.ts';
import { MovableClock } from '../../service/house.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { eventually, openSourceRig, openTicket, QUICK } from './source-rig.ts';

/** Less than what a call to Zendesk may take: its deadline is told by the same clock. */
const STEP_MS = 40_000;

describeOnBothDatabases('A feed', (kind) => {
  test('waits after a failure no longer than it chose to, though its clock is set back meanwhile', async () => {
    const clock = new MovableClock();
    await using rig = await openSourceRig(kind);
    const { simulator } = rig;
    await rig.enable();
    await using _worker = openFeedWorker({ ...rig.deps, clock }, { times: QUICK });
    simulator.faults.add({ path: '/api/v2/tickets/show_many', effect: { kind: 'close' } });
    const id = openTicket(simulator);
    simulator.tickets.change(id, { tags: ['back'] });
    await eventually(rig.status, ({ loadFault }) => loadFault !== null);
    clock.advance(-STEP_MS);
    const setBackAt = performance.now();
    simulator.faults.clear();
    await eventually(rig.status, ({ appended }) => appended === 1);
    expect(performance.now() - setBackAt).toBeLessThan(STEP_MS);
  });
});
