/** What the edge counts of itself, plain numbers that cost nothing to keep; `metrics.ts` shows them. */

export type StreamTransport = 'websocket' | 'sse';

/** Since the process began, but for what is open now. */
export interface TransportTally {
  /** Open now. */
  connections: number;
  /** Under way now. */
  subscriptions: number;
  /** Results that were handed to the network. */
  events: number;
  /** Characters of those results. */
  characters: number;
  /** Connections that were closed because their other side did not read. */
  slowConsumers: number;
}

export interface EdgeTally {
  readonly streams: Readonly<Record<StreamTransport, TransportTally>>;
  /** Answers by route and status. */
  readonly answers: ReadonlyMap<string, AnswerCount>;
  countAnswer(route: string, status: number): void;
}

export interface AnswerCount {
  readonly route: string;
  readonly status: number;
  count: number;
}

export function createEdgeTally(): EdgeTally {
  const answers = new Map<string, AnswerCount>();
  return Object.freeze({
    streams: Object.freeze({ websocket: emptyTally(), sse: emptyTally() }),
    answers,
    countAnswer(route: string, status: number): void {
      const name = `${status} ${route}`;
      const known = answers.get(name);
      if (known === undefined) answers.set(name, { route, status, count: 1 });
      else known.count += 1;
    },
  });
}

function emptyTally(): TransportTally {
  return { connections: 0, subscriptions: 0, events: 0, characters: 0, slowConsumers: 0 };
}
