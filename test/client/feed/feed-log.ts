/** The log of one stream as a gateway keeps it, sealed to one client key, and what a forger could make of it. */
import {
  type Clock,
  createId,
  encodeFeedCursor,
  streamName,
  type TicketChangeContent,
  type TicketSnapshot,
} from '../../../src/base/index.ts';
import type { EnvelopeClaims, HybridCryptoEnvelope, SigningKey } from '../../../src/envelope/index.ts';
import type { FakeGateway } from '../fake-gateway.ts';

/** An event as GraphQL has it. */
export interface EventData {
  readonly __typename: string;
  readonly cursor: string;
  readonly sequence: number;
  readonly occurredAt?: string;
  readonly envelope: HybridCryptoEnvelope;
}

export function snapshot(id: number, changed: Partial<TicketSnapshot> = {}): TicketSnapshot {
  return {
    id,
    subject: `Größe ${id}`,
    description: null,
    status: 'open',
    custom_status_id: null,
    priority: 'high',
    type: null,
    tags: ['vip'],
    requester_id: 1,
    submitter_id: 1,
    assignee_id: null,
    organization_id: null,
    group_id: 2,
    brand_id: null,
    ticket_form_id: null,
    problem_id: null,
    has_incidents: false,
    is_public: true,
    external_id: null,
    due_at: null,
    collaborator_ids: [],
    follower_ids: [],
    email_cc_ids: [],
    custom_fields: [{ id: 3, value: 'a' }],
    via_channel: 'web',
    satisfaction_score: null,
    created_at: '2025-12-01T00:00:00Z',
    updated_at: '2025-12-06T05:46:40Z',
    ...changed,
  };
}

/** A version of ticket `id`. */
export function changed(id: number): TicketChangeContent {
  return {
    v: 1,
    kind: 'CHANGED',
    ticket_id: id,
    ticket: snapshot(id),
    generated_timestamp: 1_765_000_000,
    changes: ['STATUS'],
    previous: { status: 'new' },
    shortened: [],
  };
}

export class FeedLog {
  readonly integrationId = createId('integration');
  readonly stream: string;
  readonly #gateway: FakeGateway;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #contents: TicketChangeContent[] = [];
  readonly #sealed = new Map<number, Promise<EventData>>();

  constructor(gateway: FakeGateway, clock: Pick<Clock, 'now'>) {
    this.#gateway = gateway;
    this.#clock = clock;
    this.stream = streamName(this.integrationId, gateway.keyId);
  }

  /** Sequence of the last entry. */
  get end(): number {
    return this.#contents.length;
  }

  append(...contents: readonly TicketChangeContent[]): void {
    this.#contents.push(...contents);
  }

  content(sequence: number): TicketChangeContent {
    const content = this.#contents[sequence - 1];
    if (content === undefined) throw new RangeError(`"sequence" must be 1 to ${this.end}, got ${sequence}`);
    return content;
  }

  cursor(sequence: number): string {
    return encodeFeedCursor({ stream: this.stream, sequence });
  }

  /** Entry number `sequence`, sealed once. */
  change(sequence: number): Promise<EventData> {
    const present = this.#sealed.get(sequence);
    if (present !== undefined) return present;
    const sealed = this.sealChange(this.content(sequence), { sequence });
    this.#sealed.set(sequence, sealed);
    return sealed;
  }

  async sealChange(
    content: unknown,
    claims: Partial<EnvelopeClaims> = {},
    signer?: SigningKey,
  ): Promise<EventData> {
    const { sequence = 1 } = claims;
    const envelope = await this.#seal(content, { purpose: 'ticket.change', sequence, ...claims }, signer);
    return {
      __typename: 'TicketChange',
      cursor: this.cursor(sequence),
      sequence,
      occurredAt: new Date(this.#clock.now()).toISOString(),
      envelope,
    };
  }

  /** A position that signs `sequence`, for a subscriber who stands at `place`. */
  async position(
    place: number,
    claims: Partial<EnvelopeClaims> = {},
    content: unknown = { v: 1, complete_until: '2025-12-06T05:46:00Z' },
  ): Promise<EventData> {
    const { sequence = this.end } = claims;
    const envelope = await this.#seal(content, { purpose: 'ticket.position', sequence, ...claims });
    return { __typename: 'FeedPosition', cursor: this.cursor(place), sequence, envelope };
  }

  #seal(
    content: unknown,
    claims: Partial<EnvelopeClaims>,
    signer?: SigningKey,
  ): Promise<HybridCryptoEnvelope> {
    const own = {
      integration_id: this.integrationId,
      operation: 'subscribe_tickets',
      stream: this.stream,
      issued_at: Math.floor(this.#clock.now() / 1000),
    };
    return this.#gateway.seal(JSON.stringify(content), { ...own, ...claims }, signer);
  }
}

/** `event` with one bit of its envelope's ciphertext, signature or header turned. */
export function withBitTurned(
  event: EventData,
  part: 'ciphertext_data' | 'protected' | 'pqc_signature',
): EventData {
  const { encrypted, signature } = event.envelope;
  const turn = (text: string): string => {
    const bytes = Buffer.from(text, 'base64');
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    return bytes.toString('base64');
  };
  const envelope: HybridCryptoEnvelope =
    part === 'pqc_signature'
      ? { ...event.envelope, signature: { ...signature, [part]: turn(signature[part]) } }
      : { ...event.envelope, encrypted: { ...encrypted, [part]: turn(encrypted[part]) } };
  return { ...event, envelope };
}
