/**
 * Following the changes of tickets. Each change comes sealed to the client's key; here every one is verified,
 * opened and held against the sequence that the gateway signs, so that none can be left out, repeated, moved or
 * altered unnoticed, and connections that break are begun anew at the place that was reached.
 */
import {
  type Clock,
  type FeedPlace,
  isId,
  parseFeedCursor,
  SealdeskError,
  systemClock,
} from '../../base/index.ts';
import { clientPartsOf } from '../client-parts.ts';
import type { SealdeskClient } from '../create-client.ts';
import { clearHttpMessage, gatewayAddress, isConfidential } from '../gateway-transport.ts';
import { openEventStreamConnection } from './event-stream-connection.ts';
import type { FeedConnection, FeedRequest } from './feed-connection.ts';
import type { FeedGap } from './feed-gap.ts';
import { StreamLedger } from './stream-ledger.ts';
import type { FeedState, TicketChange, TicketChanges } from './ticket-changes.ts';
import { TicketFollower } from './ticket-follower.ts';
import { openWebSocketConnection } from './websocket-connection.ts';

/** WEBSOCKET: `graphql-transport-ws`. SSE: server-sent events over `fetch`, wherever WebSockets do not get through. */
export type FeedTransport = 'WEBSOCKET' | 'SSE';

export interface TicketChangesOptions {
  /** What `createClient` returned: its gateway, API key, client key and pins are used. */
  readonly client: SealdeskClient;
  readonly integrationId: string;
  /** The cursor to go on from. Left out or `null`, changes from now on. */
  readonly after?: string | null;
  /** Whether a change is handed over. The gateway can't look into what is sealed, so all of them come here. */
  readonly filter?: (content: TicketChange['content']) => boolean;
  /**
   * Called, and awaited, where changes may be missing: take a new snapshot, and keep it with `gap.cursor`. What
   * changes meanwhile is handed over afterwards. Without it a gap ends the iteration with FeedGapError.
   */
  readonly onGap?: (gap: FeedGap) => unknown;
  /** Told what the connection is doing, for people to see. */
  readonly onState?: (state: FeedState) => unknown;
  /** WEBSOCKET where the platform has it, else SSE. */
  readonly transport?: FeedTransport;
  /** Ends the iteration with its reason. */
  readonly signal?: AbortSignal;
  /** By how many seconds the gateway's clock may differ from this one; 300 where left out. */
  readonly maxClockSkewSeconds?: number;
  /** Those of the platform, and the client's `fetch`, where left out. */
  readonly WebSocket?: typeof WebSocket;
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
  /** In [0, 1); `Math.random` where left out. */
  readonly random?: () => number;
}

const DEFAULT_MAX_CLOCK_SKEW_SECONDS = 300;

/**
 * The changes of the tickets of an integration, in order and without gaps: see {@link TicketChanges}. Nothing is
 * connected before the first `next` or `ready`. Throws VALIDATION_FAILED for an id or a cursor that is none, and TypeError for
 * options that do not fit, clear http to another machine among them.
 */
export function subscribeTicketChanges(options: TicketChangesOptions): TicketChanges {
  const { client, integrationId, clock = systemClock, random = Math.random } = options;
  const { maxClockSkewSeconds = DEFAULT_MAX_CLOCK_SKEW_SECONDS } = options;
  const { opener } = clientPartsOf(client);
  if (!isId('integration', integrationId)) throw refusedField('integrationId', 'is no id of an integration');
  if (!(maxClockSkewSeconds >= 0)) {
    throw new RangeError(`"maxClockSkewSeconds" must be 0 or more, got ${maxClockSkewSeconds}`);
  }
  const ledger = new StreamLedger({
    integrationId,
    after: parseAfter(integrationId, options.after ?? null),
    maxClockSkew: maxClockSkewSeconds * 1000,
  });
  const { filter, onGap, onState, signal } = options;
  const connect = connector(options, clock);
  return new TicketFollower({
    ...{ integrationId, ledger, opener, connect, clock, random },
    ...{ filter, onGap, onState, signal },
  });
}

function parseAfter(integrationId: string, after: string | null): FeedPlace | null {
  if (after === null) return null;
  const place = parseFeedCursor(after);
  if (place === null) throw refusedField('after', 'is no cursor of a change feed');
  if (!place.stream.startsWith(`${integrationId}/`))
    throw refusedField('after', 'is a cursor of another integration');
  return place;
}

function refusedField(path: string, message: string): SealdeskError {
  return new SealdeskError('VALIDATION_FAILED', `"${path}" ${message}.`, { fields: [{ path, message }] });
}

/** How a connection is opened, with all that stays the same from one to the next. */
function connector(options: TicketChangesOptions, clock: Clock): (after: string | null) => FeedConnection {
  const { opener, login, options: made } = clientPartsOf(options.client);
  const endpoint = gatewayAddress(made.url, 'graphql');
  if (made.insecureHttp !== true && !isConfidential(endpoint))
    throw new TypeError(clearHttpMessage(endpoint));
  const { WebSocket = globalThis.WebSocket, integrationId } = options;
  const { transport = WebSocket === undefined ? 'SSE' : 'WEBSOCKET' } = options;
  const requestAfter = (after: string | null): FeedRequest => {
    const { key } = opener;
    return {
      ...{ endpoint, apiKey: made.apiKey, keyId: key.keyId },
      login: login === null ? null : (target) => login(target, key),
      variables: { integrationId, after },
    };
  };
  switch (transport) {
    case 'WEBSOCKET':
      if (WebSocket === undefined) throw new TypeError('"WebSocket" is missing: this platform has none');
      return (after) => openWebSocketConnection(requestAfter(after), { WebSocket, clock });
    case 'SSE':
      return (after) => {
        const { fetch = made.fetch ?? globalThis.fetch } = options;
        return openEventStreamConnection(requestAfter(after), { fetch, clock });
      };
    default:
      transport satisfies never;
      throw new TypeError(`"transport" must be WEBSOCKET or SSE, got ${String(transport)}`);
  }
}
