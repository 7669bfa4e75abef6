/**
 * A subscription as server-sent events, one request each: "distinct connections" of
 * https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md. What fails before the first result is
 * answered as any request is; what fails later is a last result with errors.
 */
import type { Call, Services, TicketSession } from '../../service/index.ts';
import { type Answer, jsonAnswer, retryAfterHeader, streamAnswer } from '../answer.ts';
import { EVENT_STREAM, graphqlMediaType } from '../graphql/media-type.ts';
import type { GraphqlRequest } from '../graphql/request.ts';
import type { TransportTally } from '../tally.ts';
import type { Subscription } from './subscription.ts';
import { SubscriptionError } from './subscription-error.ts';
import type { Subscriptions } from './subscriptions.ts';

const COMPLETE = 'event: complete\ndata:\n\n';
/** A comment, which readers of events pass over. */
const HEARTBEAT = ':\n\n';

export interface EventStreamDeps {
  readonly services: Pick<Services, 'openTicketSession'>;
  readonly subscriptions: Subscriptions;
  readonly tally: TransportTally;
}

/** Answers `request`, which is a subscription. Rejects with the failures of the session. */
export async function answerEventStream(
  { services, subscriptions, tally }: EventStreamDeps,
  call: Call,
  request: GraphqlRequest,
  headers: Headers,
): Promise<Answer> {
  // The end of the session is met as the end of its subscription.
  const session = await services.openTicketSession(call, () => undefined);
  try {
    const subscription = await subscriptions.start(session, request);
    const chunks = eventChunks(session, subscription, await subscription.next(), tally);
    return streamAnswer(`${EVENT_STREAM}; charset=utf-8`, {
      kind: 'EVENTS',
      chunks,
      heartbeat: HEARTBEAT,
      end: () => subscription.end(),
    });
  } catch (error) {
    await session[Symbol.asyncDispose]();
    if (!(error instanceof SubscriptionError)) throw error;
    return refusalAnswer(error, call, headers);
  }
}

async function* eventChunks(
  session: TicketSession,
  subscription: Subscription,
  first: string | null,
  tally: TransportTally,
): AsyncGenerator<string, void> {
  tally.subscriptions += 1;
  try {
    for (let text = first; text !== null; text = await subscription.next()) {
      tally.events += 1;
      tally.characters += text.length;
      yield nextEvent(text);
    }
  } catch (error) {
    if (!(error instanceof SubscriptionError)) throw error;
    yield nextEvent(JSON.stringify({ errors: error.told() }));
  } finally {
    tally.subscriptions -= 1;
    subscription.end();
    await session[Symbol.asyncDispose]();
  }
  yield COMPLETE;
}

/** `text` is JSON, which has no line breaks. */
function nextEvent(text: string): string {
  return `event: next\ndata: ${text}\n\n`;
}

function refusalAnswer(error: SubscriptionError, { requestId }: Call, headers: Headers): Answer {
  const { auditEventId, errors, failure } = error;
  return jsonAnswer(
    failure.status,
    { errors, extensions: { ...(auditEventId === null ? {} : { auditEventId }), requestId } },
    { 'content-type': `${graphqlMediaType(headers)}; charset=utf-8`, ...retryAfterHeader(failure) },
  );
}
