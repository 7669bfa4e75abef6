/** The audit log as it grows, over as many WebSockets as it takes: each is begun at the place that was reached. */
import { type Client, createClient } from 'graphql-ws';
import { z } from 'zod';
import { GATEWAY_LIMITS, GatewayAnswerError, printableLine } from '../client/index.ts';
import { CommandError } from './command-error.ts';

const DOCUMENT = `subscription SealdeskAuditTail($after: Cursor) {
  auditTail(after: $after) {
    cursor
    event {
      index id occurredAt actor { type id } phase action outcome intentId parentId integrationId operation resource
      requestId requestSha256 ip upstreamStatus durationMs denialReason count envelopes { keyId sha256 }
    }
  }
}`;

const Result = z.object({
  data: z.object({
    auditTail: z.object({ cursor: z.string(), event: z.looseObject({ index: z.int().nonnegative() }) }),
  }),
});

export interface AuditLine {
  readonly cursor: string;
  readonly index: number;
  /** As GraphQL tells it. */
  readonly event: Readonly<Record<string, unknown>>;
}

export interface FollowAuditLogOptions {
  readonly url: string;
  readonly apiKey: string;
  /** The cursor to go on from, `null` for what comes now. */
  readonly after: string | null;
  readonly signal: AbortSignal;
  /** Told that a connection broke, why, and how long nothing is tried. */
  readonly onBreak: (reason: string, milliseconds: number) => void;
}

/** Milliseconds before a connection that broke is opened again; doubled with each that brings nothing. */
const PAUSE = { least: 500, most: 30_000 } as const;
/** Close codes of a WebSocket and of graphql-ws that a new connection does not help against. */
const FINAL_CLOSES: ReadonlySet<number> = new Set([4400, 4401, 4403]);

/** Ends when `signal` is aborted. Throws CommandError as the gateway refuses it, GatewayAnswerError. */
export async function* followAuditLog(options: FollowAuditLogOptions): AsyncGenerator<AuditLine, void> {
  const { signal, onBreak } = options;
  let { after } = options;
  for (let pause: number = PAUSE.least; !signal.aborted; pause = Math.min(PAUSE.most, 2 * pause)) {
    const client = connect(options);
    try {
      for await (const result of client.iterate({ query: DOCUMENT, variables: { after } })) {
        const { cursor, event } = lineOf(result);
        yield { cursor, index: event.index, event };
        after = cursor;
        pause = PAUSE.least;
      }
    } catch (error) {
      if (error instanceof GatewayAnswerError || error instanceof CommandError) throw error;
      if (!signal.aborted) onBreak(reasonOf(error), pause);
    } finally {
      client.terminate();
    }
    await waitFor(pause, signal);
  }
}

function connect({ url, apiKey, signal }: FollowAuditLogOptions): Client {
  const endpoint = new URL('graphql', url.endsWith('/') ? url : `${url}/`);
  endpoint.protocol = endpoint.protocol === 'http:' ? 'ws:' : 'wss:';
  const client = createClient({
    url: endpoint.href,
    retryAttempts: 0,
    lazy: true,
    connectionParams: { apiKey },
    connectionAckWaitTimeout: GATEWAY_LIMITS.timeoutMilliseconds,
  });
  signal.addEventListener('abort', () => client.terminate(), { once: true });
  return client;
}

function lineOf(result: unknown): z.infer<typeof Result>['data']['auditTail'] {
  const parsed = Result.safeParse(result);
  if (parsed.success) return parsed.data.data.auditTail;
  const { errors } = Object(result);
  if (Array.isArray(errors)) throw refusal(errors);
  throw new GatewayAnswerError('The gateway sent an event that this program does not understand.');
}

/** Why a connection broke. Throws CommandError where another would not help. */
function reasonOf(error: unknown): string {
  if (Array.isArray(error)) throw refusal(error);
  const { code, reason } = Object(error);
  const told = typeof reason === 'string' ? printableLine(reason.slice(0, GATEWAY_LIMITS.maxMessage)) : '';
  if (FINAL_CLOSES.has(code)) throw new CommandError(told || 'The gateway refused the login.');
  return told === '' ? 'The connection broke.' : told;
}

function refusal(errors: readonly unknown[]): CommandError {
  const { message, extensions } = Object(errors[0]);
  const text = typeof message === 'string' ? message.slice(0, GATEWAY_LIMITS.maxMessage) : 'no message';
  return new CommandError(printableLine(`${text} (${String(Object(extensions).code ?? 'no code')})`));
}

async function waitFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}
