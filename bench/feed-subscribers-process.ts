/** Many subscribers in a process of their own; see {@link FeedSubscriber}. */
import { answerQuestions } from './asked-process.ts';
import { FeedSubscriber, type FeedSubscription } from './feed-subscriber.ts';

export type SubscribersQuestion =
  /** Opens so many more. `tellsPosition`: the server begins with a position, which is awaited. */
  | {
      readonly kind: 'OPEN';
      readonly count: number;
      readonly tellsPosition: boolean;
      readonly subscription: FeedSubscription;
    }
  /** Closes all but so many. */
  | { readonly kind: 'KEEP'; readonly count: number }
  /** Answered when so many changes came to each since the last time, or since it was opened. */
  | { readonly kind: 'AWAIT'; readonly changes: number };

export interface SubscribersAnswer {
  readonly open: number;
  /** That the first of them was told so far. */
  readonly positions: number;
}

/** Connections that are not accepted yet, at once: a gateway lets 64 of one address. */
const AT_ONCE = 32;

const subscribers: { readonly subscriber: FeedSubscriber; awaited: number }[] = [];

answerQuestions(async (question: SubscribersQuestion): Promise<SubscribersAnswer> => {
  switch (question.kind) {
    case 'OPEN':
      await open(question.count, question.tellsPosition, question.subscription);
      break;
    case 'KEEP':
      await Promise.all(subscribers.splice(question.count).map(({ subscriber }) => subscriber.close()));
      break;
    case 'AWAIT':
      await Promise.all(
        subscribers.map((one) => {
          one.awaited += question.changes;
          return one.subscriber.untilChanges(one.awaited);
        }),
      );
      break;
    default:
      question satisfies never;
  }
  return { open: subscribers.length, positions: subscribers[0]?.subscriber.positions ?? 0 };
});

async function open(count: number, tellsPosition: boolean, subscription: FeedSubscription): Promise<void> {
  for (let left = count; left > 0; left -= AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, left) }, async () => {
      const subscriber = await FeedSubscriber.open(subscription);
      if (tellsPosition) await subscriber.begun();
      return { subscriber, awaited: 0 };
    });
    subscribers.push(...(await Promise.all(some)));
  }
}
