/** Connections that break anywhere, and ones that are manipulated anywhere: what is handed over is the log. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FeedIntegrityError, type FeedTransport, type TicketChange } from '../../../src/client/index.ts';
import { changed } from './feed-log.ts';
import type { FeedScript } from './feed-server.ts';
import { MANIPULATIONS } from './manipulations.ts';
import { type FeedRig, openRig, placeOf, reasonsOf, TRANSPORTS } from './rig.ts';

type Step =
  | { readonly kind: 'CHANGES'; readonly count: number }
  | { readonly kind: 'APPEND' | 'POSITION' | 'CLOSE' | 'COMPLETE' | 'SILENCE' | 'REFUSE' }
  | { readonly kind: 'MANIPULATE'; readonly name: string };

const honestStep: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({ kind: fc.constant('CHANGES' as const), count: fc.integer({ min: 1, max: 3 }) }),
    weight: 4,
  },
  {
    arbitrary: fc.record({
      kind: fc.constantFrom('APPEND', 'POSITION', 'CLOSE', 'COMPLETE', 'SILENCE', 'REFUSE'),
    }),
    weight: 3,
  },
);
const hostileStep: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: honestStep, weight: 3 },
  {
    arbitrary: fc.record({
      kind: fc.constant('MANIPULATE' as const),
      name: fc.constantFrom(...Object.keys(MANIPULATIONS)),
    }),
    weight: 2,
  },
);

/** One connection: a position at once, then the steps; whether it was ever manipulated is noted. */
function scriptOf(rig: FeedRig, steps: readonly Step[], forged: string[]): FeedScript {
  const { log, deliver, clock } = rig;
  return async (serving) => {
    let place = placeOf(serving, log);
    await deliver(serving, await log.position(place));
    for (const step of steps) {
      if (serving.signal.aborted) return;
      switch (step.kind) {
        case 'CHANGES':
          for (let count = 0; count < step.count && place < log.end; count += 1) {
            place += 1;
            await deliver(serving, await log.change(place));
          }
          break;
        case 'APPEND':
          log.append(changed(log.end + 1));
          break;
        case 'POSITION':
          // Honest gateways send one only where all is delivered.
          if (place === log.end) await deliver(serving, await log.position(place));
          break;
        case 'SILENCE':
          if (place < log.end) break;
          clock.advance(75_001);
          return;
        case 'CLOSE':
          return serving.close(1006);
        case 'COMPLETE':
          return serving.complete();
        case 'REFUSE':
          return serving.fail('KMS_UNAVAILABLE');
        case 'MANIPULATE':
          // It needs entries before and after its place.
          if (place < 1 || place + 2 > log.end) break;
          forged.push(step.name);
          for (const event of (await MANIPULATIONS[step.name]?.forge(log, place)) ?? []) {
            await deliver(serving, event);
          }
          return;
        default:
          step satisfies never;
      }
    }
    serving.close(1006);
  };
}

interface Run {
  readonly rig: FeedRig;
  readonly taken: readonly TicketChange[];
  readonly error: unknown;
  readonly forged: readonly string[];
}

/** Follows through all the connections and an honest one, to the end of the log. */
async function run(transport: FeedTransport, connections: readonly (readonly Step[])[]): Promise<Run> {
  const rig = await openRig(transport);
  rig.log.append(...Array.from({ length: 6 }, (_, index) => changed(index + 1)));
  const forged: string[] = [];
  const taken: TicketChange[] = [];
  const changes = rig.follow();
  rig.server.scripts = [
    ...connections.map((steps) => scriptOf(rig, steps, forged)),
    async (serving) => {
      await rig.serveAll(serving);
      await changes.return();
    },
  ];
  let error: unknown = null;
  try {
    for await (const change of changes) taken.push(change);
  } catch (reason) {
    error = reason;
  }
  expect(rig.server.failures).toEqual([]);
  return { rig, taken, error, forged };
}

function expectPrefixOfLog({ rig, taken }: Run): void {
  expect(taken.map(({ sequence }) => sequence)).toEqual(taken.map((_, index) => index + 1));
  expect(taken.map(({ content }) => content)).toEqual(taken.map((_, index) => rig.log.content(index + 1)));
}

const connectionsOf = (step: fc.Arbitrary<Step>) =>
  fc.array(fc.array(step, { maxLength: 6 }), { maxLength: 6 });

describe.each(TRANSPORTS)('over %s', (transport) => {
  it('connections that break anywhere bring the whole log, once and in order', async () => {
    await fc.assert(
      fc.asyncProperty(connectionsOf(honestStep), async (connections) => {
        const ran = await run(transport, connections);
        expect(ran.error).toBeNull();
        expectPrefixOfLog(ran);
        expect(ran.taken).toHaveLength(ran.rig.log.end);
        const reasons = reasonsOf(ran.rig.states);
        expect(reasons.filter((reason) => !['CONNECTION_LOST', 'KMS_UNAVAILABLE'].includes(reason))).toEqual(
          [],
        );
      }),
      { numRuns: 40 },
    );
  });

  it('manipulated ones bring nothing but the log, and are told', async () => {
    await fc.assert(
      fc.asyncProperty(connectionsOf(hostileStep), async (connections) => {
        const ran = await run(transport, connections);
        expectPrefixOfLog(ran);
        const found = reasonsOf(ran.rig.states).filter((reason) => reason in COUNTED);
        if (ran.error === null) {
          expect(ran.taken).toHaveLength(ran.rig.log.end);
          expect(found).toHaveLength(ran.forged.length);
        } else {
          expect(ran.error).toBeInstanceOf(FeedIntegrityError);
          // The third one is thrown and not told as a reason to wait.
          expect(found.length + 1).toBe(ran.forged.length);
          expect(ran.forged.length).toBeGreaterThanOrEqual(3);
        }
      }),
      { numRuns: 40 },
    );
  });
});

const COUNTED = Object.fromEntries(Object.values(MANIPULATIONS).map(({ violation }) => [violation, true]));
