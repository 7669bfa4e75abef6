/** A follower, the log that it follows, and a gateway between the two that can be made to lie. */
import {
  createClient,
  type FeedState,
  type FeedTransport,
  subscribeTicketChanges,
  type TicketChange,
  type TicketChanges,
  type TicketChangesOptions,
} from '../../../src/client/index.ts';
import { API_KEY } from '../fake-gateway.ts';
import { createSealingGateway, type SealingGateway, URL_OF_GATEWAY } from '../sealing-gateway.ts';
import { FeedClock } from './feed-clock.ts';
import { type EventData, FeedLog } from './feed-log.ts';
import { type FeedScript, FeedServer, type FeedServing } from './feed-server.ts';

export const TRANSPORTS = ['WEBSOCKET', 'SSE'] as const satisfies readonly FeedTransport[];

export interface FeedRig {
  readonly gateway: SealingGateway;
  readonly clock: FeedClock;
  readonly log: FeedLog;
  readonly server: FeedServer;
  readonly states: FeedState[];
  /** Begins to follow; by default from the start of the log. */
  follow(options?: Partial<TicketChangesOptions>): TicketChanges;
  /** Sends, and resolves when the follower has dealt with it or has gone. */
  deliver(serving: FeedServing, event: EventData): Promise<void>;
  /** An honest connection: the position, then what comes after the place, to the end of the log. */
  serveAll: FeedScript;
}

/** One gateway, and so one client key, serves many rigs: making it costs most. */
let shared: Promise<SealingGateway> | undefined;

export async function openRig(transport: FeedTransport = 'WEBSOCKET'): Promise<FeedRig> {
  shared ??= createSealingGateway();
  const gateway = await shared;
  const clock = new FeedClock();
  const log = new FeedLog(gateway.fake, clock);
  const server = new FeedServer();
  const states: FeedState[] = [];
  const client = createClient({
    url: URL_OF_GATEWAY,
    apiKey: API_KEY,
    clientKey: gateway.clientKey,
    fetch: (input, init) => gateway.fetch(input, init),
    now: () => clock.now(),
  });
  const rig: FeedRig = {
    ...{ gateway, clock, log, server, states },
    follow: (options = {}) =>
      subscribeTicketChanges({
        ...{ client, integrationId: log.integrationId, after: log.cursor(0), transport, clock },
        ...{ WebSocket: server.WebSocket, fetch: server.fetch, random: () => 0 },
        onState: (state) => states.push(state),
        ...options,
      }),
    async deliver(serving, event) {
      const gone = Promise.withResolvers<void>();
      serving.signal.addEventListener('abort', () => gone.resolve(), { once: true });
      if (serving.signal.aborted) return;
      const dealtWith = clock.untilListening();
      serving.send(event);
      await Promise.race([dealtWith, gone.promise]);
    },
    async serveAll(serving) {
      let place = placeOf(serving, log);
      await rig.deliver(serving, await log.position(place));
      while (place < log.end && !serving.signal.aborted) {
        place += 1;
        await rig.deliver(serving, await log.change(place));
      }
    },
  };
  server.scripts = [rig.serveAll];
  return rig;
}

/** Where a subscription begins: after its cursor, else at the end. */
export function placeOf({ after }: FeedServing, log: FeedLog): number {
  if (after === null) return log.end;
  for (let sequence = 0; sequence <= log.end; sequence += 1) {
    if (log.cursor(sequence) === after) return sequence;
  }
  throw new RangeError('the cursor is of no place in this log');
}

/** The next `count` changes. */
export async function take(changes: TicketChanges, count: number): Promise<TicketChange[]> {
  const taken: TicketChange[] = [];
  while (taken.length < count) {
    const { value, done } = await changes.next();
    if (done === true) throw new Error(`the changes ended after ${taken.length}`);
    taken.push(value);
  }
  return taken;
}

/** What made each attempt fail: the violation, the code, or the name of the error. */
export function reasonsOf(states: readonly FeedState[]): string[] {
  return states.flatMap((state) => {
    if (state.kind !== 'WAITING') return [];
    const { error } = state;
    if ('violation' in error) return [String(error.violation)];
    return ['code' in error ? String(error.code) : error.name];
  });
}
