/** A simulator with one webhook that delivers to a receiver of the test's own. */
import type { SimulatorOptions } from '../../simulator/index.ts';
import type { Session } from './client.ts';
import { createWebhook, openFeedSession, openIds } from './feed.ts';
import { openReceiver, type ReceivedRequest, type Receiver, type ReceiverAnswer } from './receiver.ts';

export interface Rig extends AsyncDisposable {
  readonly session: Session;
  readonly receiver: Receiver;
  readonly webhook: { readonly id: string; readonly secret: string };
  /** An open ticket. */
  readonly ticket: number;
  delivered(): Promise<void>;
}

/** `fields` are the webhook's; deliveries go one at a time and are retried at once unless `options` say otherwise. */
export const openRig = async (
  options: SimulatorOptions = {},
  answer?: (request: ReceivedRequest, number: number) => ReceiverAnswer,
  fields: Readonly<Record<string, unknown>> = {},
): Promise<Rig> => {
  const receiver = await openReceiver(answer);
  const session = await openFeedSession({
    webhooks: { concurrency: 1, retryDelayMs: 0 },
    ...options,
  });
  const webhook = await createWebhook(session, { endpoint: receiver.url, ...fields });
  return {
    session,
    receiver,
    webhook,
    ticket: openIds(session, 1)[0] ?? 0,
    delivered: () => session.simulator.webhooks.untilDelivered(),
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]();
      await receiver[Symbol.asyncDispose]();
    },
  };
};

/** Fields of a webhook that hears of comments only, so that a comment is one delivery. */
export const COMMENTS = { subscriptions: ['zen:event-type:ticket.comment_added'] };
