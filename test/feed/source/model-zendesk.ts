/**
 * A Zendesk in memory whose every version is known: tickets that change several times a second, an export by
 * (generated_timestamp, id) that hands out seconds that are over, answers that may come from a copy that lags
 * behind, and webhooks as they would be sent. Time passes only when it is told to.
 */
import { createHmac, randomUUID } from 'node:crypto';
import type { JsonObject } from '../../../src/base/index.ts';
import type { ZendeskConnections } from '../../../src/proxy/index.ts';
import type { WebhookDelivery } from '../../../src/service/index.ts';
import {
  type ZendeskClient,
  ZendeskError,
  type ZendeskRequest,
  type ZendeskResponse,
} from '../../../src/zendesk/index.ts';

export type TrueVersion =
  | { readonly kind: 'CHANGED'; readonly subject: string }
  | { readonly kind: 'DELETED'; readonly permanent: boolean };

interface ModelTicket {
  readonly id: number;
  subject: string;
  state: 'PRESENT' | 'DELETED' | 'ERASED';
  updatedAt: number;
  generatedAt: number;
  /** Every version since the beginning, oldest first. */
  readonly versions: TrueVersion[];
  /** As shown at the end of each second before the present one. */
  past: JsonObject | null;
}

export type ModelAct = 'CHANGE' | 'SYSTEM' | 'DELETE' | 'RESTORE' | 'ERASE';

export const MODEL_SECRET = 'a-signing-secret-of-the-model';

export class ModelZendesk {
  readonly #tickets = new Map<number, ModelTicket>();
  #second: number;
  #count = 0;
  /** Answers from a copy that lags behind which are still to come. */
  #stale = 0;

  constructor(second: number) {
    this.#second = second;
  }

  readonly connections: ZendeskConnections = { clientFor: () => this.#client };

  readonly #client: ZendeskClient = {
    origin: 'https://model.zendesk.test',
    request: async (request) => {
      const body = this.#answer(request);
      // Changes may come between what is read and what is answered.
      await new Promise((resolve) => setImmediate(resolve));
      if (body === null) {
        const details = { failure: 'REFUSED', upstreamStatus: 404 } as const;
        throw new ZendeskError('NOT_FOUND', 'Not found', details);
      }
      return responseOf(body);
    },
  };

  addTicket(id: number): void {
    const subject = this.#nextSubject();
    const at = this.#second;
    this.#tickets.set(id, {
      ...{ id, subject, state: 'PRESENT', updatedAt: at, generatedAt: at, past: null },
      versions: [{ kind: 'CHANGED', subject }],
    });
  }

  versionsOf(id: number): readonly TrueVersion[] {
    return this.#ticket(id).versions;
  }

  /** What the act's webhook carries; `null` where it cannot be done now, or no webhook tells of it. */
  act(id: number, act: ModelAct): WebhookDelivery | null {
    const ticket = this.#ticket(id);
    const { state } = ticket;
    switch (act) {
      case 'CHANGE':
        if (state !== 'PRESENT') return null;
        ticket.subject = this.#nextSubject();
        return this.#changed(ticket, 'subject_changed', { kind: 'CHANGED', subject: ticket.subject });
      case 'SYSTEM':
        ticket.generatedAt = this.#second;
        return null;
      case 'DELETE':
        if (state !== 'PRESENT') return null;
        ticket.state = 'DELETED';
        return this.#changed(ticket, 'soft_deleted', { kind: 'DELETED', permanent: false });
      case 'RESTORE':
        if (state !== 'DELETED') return null;
        ticket.state = 'PRESENT';
        ticket.subject = this.#nextSubject();
        return this.#changed(ticket, 'undeleted', { kind: 'CHANGED', subject: ticket.subject });
      case 'ERASE':
        if (state !== 'DELETED') return null;
        ticket.state = 'ERASED';
        return this.#changed(ticket, 'permanently_deleted', { kind: 'DELETED', permanent: true });
      default:
        return act satisfies never;
    }
  }

  /** Lets `seconds` pass. */
  pass(seconds: number): void {
    for (const ticket of this.#tickets.values()) ticket.past = viewOf(ticket);
    this.#second += seconds;
  }

  /** Lets the next answers come from a copy that does not have the present second yet. */
  lag(answers: number): void {
    this.#stale = answers;
  }

  /** The cursor behind the last row that the export hands out now. */
  exportEnd(): string {
    const last = this.#exported().at(-1);
    if (last === undefined) throw new RangeError('There is nothing in the export');
    return cursorOf(last);
  }

  #nextSubject(): string {
    this.#count += 1;
    return `v${this.#count}`;
  }

  #ticket(id: number): ModelTicket {
    const ticket = this.#tickets.get(id);
    if (ticket === undefined) throw new RangeError(`"id" must be a ticket of the model, got ${id}`);
    return ticket;
  }

  #changed(ticket: ModelTicket, name: string, version: TrueVersion): WebhookDelivery {
    ticket.updatedAt = this.#second;
    ticket.generatedAt = this.#second;
    ticket.versions.push(version);
    const status = { PRESENT: 'OPEN', DELETED: 'DELETED', ERASED: 'SCRUBBED' }[ticket.state];
    return signedDelivery({
      ...{ id: randomUUID(), type: `zen:event-type:ticket.${name}`, subject: `zen:ticket:${ticket.id}` },
      detail: { id: String(ticket.id), status, updated_at: isoOf(ticket.updatedAt) },
      event: {},
    });
  }

  #answer({ path, query = {} }: ZendeskRequest): JsonObject | null {
    if (path.includes('/incremental/')) return this.#export(query);
    if (path.includes('/show_many')) {
      const ids = String(query['ids']).split(',').map(Number);
      const isStale = this.#stale > 0;
      if (isStale) this.#stale -= 1;
      const shown = ids.map((id) => this.#shown(this.#ticket(id), isStale));
      return { tickets: shown.filter((one) => one !== null) };
    }
    const ticket = this.#ticket(Number(/\/tickets\/(\d+)/.exec(path)?.[1]));
    return ticket.state === 'PRESENT' ? { ticket: viewOf(ticket) } : null;
  }

  #shown(ticket: ModelTicket, isStale: boolean): JsonObject | null {
    const changedNow = ticket.generatedAt === this.#second;
    const shown = isStale && changedNow && ticket.past !== null ? ticket.past : viewOf(ticket);
    return shown['status'] === 'deleted' ? null : shown;
  }

  #export(query: NonNullable<ZendeskRequest['query']>): JsonObject {
    const [second = 0, id = 0] = String(query['cursor'] ?? `${query['start_time']}|0`)
      .split('|')
      .map(Number);
    const rest = this.#exported().filter(
      (ticket) => ticket.generatedAt > second || (ticket.generatedAt === second && ticket.id > id),
    );
    const page = rest.slice(0, 3);
    const last = page.at(-1);
    return {
      tickets: page.map(viewOf),
      after_cursor: last === undefined ? `${second}|${id}` : cursorOf(last),
      end_of_stream: rest.length <= page.length,
    };
  }

  /** Rows of the seconds that are over, in their order. */
  #exported(): readonly ModelTicket[] {
    return [...this.#tickets.values()]
      .filter(({ generatedAt }) => generatedAt < this.#second)
      .toSorted((a, b) => a.generatedAt - b.generatedAt || a.id - b.id);
  }
}

function cursorOf({ generatedAt, id }: ModelTicket): string {
  return `${generatedAt}|${id}`;
}

function viewOf({ id, subject, state, updatedAt, generatedAt }: ModelTicket): JsonObject {
  return {
    ...{ id, created_at: isoOf(0), updated_at: isoOf(updatedAt), generated_timestamp: generatedAt },
    subject: state === 'ERASED' ? 'SCRUBBED' : subject,
    status: state === 'PRESENT' ? 'open' : 'deleted',
  };
}

function isoOf(second: number): string {
  return new Date(second * 1_000).toISOString().replace('.000Z', 'Z');
}

/** A webhook call as Zendesk signs it, at the present time of day. */
export function signedDelivery(
  payload: object,
  { secret = MODEL_SECRET, timestamp = new Date().toISOString(), invocationId = randomUUID() } = {},
): WebhookDelivery {
  const body = new TextEncoder().encode(JSON.stringify(payload, null, 2));
  const signature = createHmac('sha256', secret).update(timestamp).update(body).digest('base64');
  return { body, signature, timestamp, invocationId, webhookId: 'model' };
}

function responseOf(body: JsonObject): ZendeskResponse {
  return {
    ...{ status: 200, body, servedAt: null, idempotencyLookup: null, calls: 1 },
    rateLimit: { limit: null, remaining: null, resetsAt: null, endpoints: [] },
  };
}
