/** What the tests of exports and webhooks share: a roomy session, a webhook made through the API, the export's rows. */
import { type SimulatorOptions, TICKET_EVENT_TYPES } from '../../simulator/index.ts';
import { listAt, objectAt, openSession, type Session } from './client.ts';

/** Limits out of the way, changes exported as soon as their second is over, versions kept. */
export const openFeedSession = (options: SimulatorOptions = {}): Promise<Session> =>
  openSession({
    tickets: 40,
    accountLimit: 1_000_000,
    endpointLimits: { 'incremental-exports': 100_000, webhooks: 100_000 },
    exportLagSeconds: 0,
    history: true,
    ...options,
  });

export const WEBHOOK = {
  name: 'Sealdesk',
  endpoint: 'https://gateway.example/webhooks/zendesk/int_1',
  http_method: 'POST',
  request_format: 'json',
  status: 'active',
  subscriptions: TICKET_EVENT_TYPES,
};

export interface CreatedWebhook {
  readonly id: string;
  readonly secret: string;
}

/** Creates a webhook through the API and reads its signing secret. */
export const createWebhook = async (
  session: Session,
  fields: Readonly<Record<string, unknown>>,
): Promise<CreatedWebhook> => {
  const answer = await session.call('/api/v2/webhooks', { body: { webhook: { ...WEBHOOK, ...fields } } });
  const id = String(objectAt(answer.body, 'webhook')['id']);
  const secret = await session.call(`/api/v2/webhooks/${id}/signing_secret`);
  return { id, secret: String(objectAt(secret.body, 'signing_secret')['secret']) };
};

export interface ExportPage {
  readonly rows: Record<string, unknown>[];
  readonly cursor: string;
  readonly end: boolean;
}

export const exportPage = async (session: Session, query: string): Promise<ExportPage> => {
  const { body, status, text } = await session.call(`/api/v2/incremental/tickets/cursor.json?${query}`);
  if (status !== 200) throw new TypeError(`the export answered ${status}: ${text}`);
  return {
    rows: listAt(body, 'tickets'),
    cursor: String(body['after_cursor']),
    end: body['end_of_stream'] === true,
  };
};

/** The query of the page behind a cursor. */
export const onward = (cursor: string): string => `cursor=${encodeURIComponent(cursor)}`;

/** Reads from a place (`start_time=0` or `cursor=…`) to the end of the stream. */
export const exportRest = async (
  session: Session,
  from: string,
  rest = 'per_page=7&support_type_scope=all',
): Promise<{ rows: Record<string, unknown>[]; cursor: string }> => {
  const rows: Record<string, unknown>[] = [];
  for (let place = from; ; ) {
    const page = await exportPage(session, `${place}&${rest}`);
    rows.push(...page.rows);
    if (page.end) return { rows, cursor: page.cursor };
    place = onward(page.cursor);
  }
};

/** The first tickets that agents still work on, by ascending id. */
export const openIds = (session: Session, count: number): number[] => {
  const ids = session.simulator.tickets
    .all()
    .filter((row) => row.status === 'open' || row.status === 'pending')
    .map((row) => row.id);
  if (ids.length < count) throw new RangeError(`the account has ${ids.length} open tickets, not ${count}`);
  return ids.slice(0, count);
};
