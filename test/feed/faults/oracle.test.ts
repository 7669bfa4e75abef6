/** What the tests of this folder rest on: that a version which is missing, repeated, moved or made up is noticed. */
import { expect, test } from 'vitest';
import { openSimulator } from '../../../simulator/index.ts';
import { assertFaithful, isUpToDate, trueVersions } from './oracle.ts';
import { workableTickets } from './traffic.ts';

const TRUTH = ['one', 'two', 'DELETED', 'three', 'four'];

test('Some of the true versions in their order with the last one are faithful', () => {
  assertFaithful(1, ['two', 'three', 'four'], TRUTH);
  assertFaithful(1, TRUTH, TRUTH);
  assertFaithful(1, [], ['as it always was']);
});

test.each<[string, readonly string[], RegExp]>([
  ['one that comes twice', ['two', 'two', 'four'], /Version 2 of ticket 1 came twice or out of order/],
  ['one that comes too late', ['three', 'two', 'four'], /Version 2 of ticket 1 came twice or out of order/],
  ['one that never was', ['two', 'five', 'four'], /Version 2 of ticket 1 never was/],
  ['no last one', ['two', 'three'], /The last version of ticket 1 is missing/],
  ['none at all', [], /The last version of ticket 1 is missing/],
])('With %s they are not', (_what, received, message) => {
  expect(() => assertFaithful(1, received, TRUTH)).toThrow(message);
});

test('The true versions of a ticket tell each change, and its end', async () => {
  await using simulator = await openSimulator({ tickets: 50, history: true });
  const [id = 0] = workableTickets(simulator);
  const [seeded] = trueVersions(simulator, id);
  simulator.tickets.change(id, { subject: 'Lamp' });
  simulator.tickets.systemUpdate(id);
  simulator.tickets.delete(id);
  simulator.tickets.scrub(id);
  const versions = trueVersions(simulator, id);
  expect(versions).toEqual([seeded, expect.stringContaining('Lamp'), 'DELETED', 'ERASED']);
  expect(isUpToDate(['ERASED'], versions)).toBe(true);
  expect(isUpToDate(['DELETED'], versions)).toBe(false);
});
