/**
 * Faults on demand: each rule matches calls by method and path and spoils a number of them. A fault either
 * hits before the call takes effect or after (`applied`), which is what tells clients with a careful retry
 * from those without. Latency rules add up with the first other rule that matches.
 */
import { coded, edge, empty, html, json, type Reply, text } from './reply.ts';

export type FaultEffect =
  /** Waits before the call is handled. */
  | { readonly kind: 'latency'; readonly milliseconds: number }
  /** 429 with `Retry-After` (left out when null) in one of the bodies seen at Zendesk. */
  | {
      readonly kind: 'rate-limited';
      readonly retryAfter?: number | null;
      readonly body?: 'text' | 'json' | 'html' | 'edge';
    }
  /** Any status; `body` and `contentType` replace the usual text of that status. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly applied?: boolean;
      readonly retryAfter?: number;
      readonly body?: string;
      readonly contentType?: string;
    }
  /** An HTML page in place of JSON, 500 unless `status` says otherwise. */
  | { readonly kind: 'html'; readonly status?: number; readonly applied?: boolean }
  /** The right headers and the first half of the body, then the socket ends. The call takes effect. */
  | { readonly kind: 'truncated' }
  /** The socket ends without an answer, before or after the call took effect. */
  | { readonly kind: 'close'; readonly applied?: boolean }
  /** No answer ever, before or after the call took effect. */
  | { readonly kind: 'hang'; readonly applied?: boolean };

export interface FaultRule {
  /** Any when absent. */
  readonly method?: string;
  /** `*` stands for one path segment, `**` for any rest: `/api/v2/tickets/*`. Matched without `.json`. Any when absent. */
  readonly path?: string;
  /** Calls spoiled before the rule ends; absent = until removed. */
  readonly count?: number;
  /** Matching calls let through first. */
  readonly skip?: number;
  readonly effect: FaultEffect;
}

export interface ActiveFault extends FaultRule {
  readonly id: number;
  readonly hits: number;
}

interface Entry {
  readonly id: number;
  readonly rule: FaultRule;
  readonly pattern: RegExp | null;
  skip: number;
  left: number;
  hits: number;
}

const MAX_FAULTS = 1000;

const compilePattern = (path: string): RegExp => {
  const source = path
    .split(/(\*\*|\*)/)
    .map((part) =>
      part === '**' ? '.*' : part === '*' ? '[^/]+' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'),
    )
    .join('');
  return new RegExp(`^${source}$`);
};

export class Faults {
  #entries: Entry[] = [];
  #sequence = 0;

  /** Returns the rule's id. */
  add(rule: FaultRule): number {
    if (this.#entries.length >= MAX_FAULTS) throw new RangeError(`at most ${MAX_FAULTS} faults at a time`);
    this.#sequence += 1;
    this.#entries.push({
      id: this.#sequence,
      rule,
      pattern: rule.path === undefined ? null : compilePattern(rule.path),
      skip: rule.skip ?? 0,
      left: rule.count ?? Number.POSITIVE_INFINITY,
      hits: 0,
    });
    return this.#sequence;
  }

  remove(id: number): boolean {
    const before = this.#entries.length;
    this.#entries = this.#entries.filter((entry) => entry.id !== id);
    return this.#entries.length < before;
  }

  clear(): void {
    this.#entries = [];
  }

  /** The rules that can still hit. */
  list(): ActiveFault[] {
    return this.#entries.map((entry) => ({ ...entry.rule, id: entry.id, hits: entry.hits }));
  }

  /** Draws the faults for one call: the total latency and the first other effect. */
  draw(
    method: string,
    path: string,
  ): { latency: number; effect: Exclude<FaultEffect, { kind: 'latency' }> | null } {
    let latency = 0;
    let effect: Exclude<FaultEffect, { kind: 'latency' }> | null = null;
    for (const entry of this.#entries) {
      const { rule } = entry;
      if (rule.method !== undefined && rule.method.toUpperCase() !== method) continue;
      if (entry.pattern && !entry.pattern.test(path)) continue;
      if (rule.effect.kind !== 'latency' && effect !== null) continue;
      if (entry.skip > 0) {
        entry.skip -= 1;
        continue;
      }
      entry.left -= 1;
      entry.hits += 1;
      if (rule.effect.kind === 'latency') latency += rule.effect.milliseconds;
      else effect = rule.effect;
    }
    this.#entries = this.#entries.filter((entry) => entry.left > 0);
    return { latency, effect };
  }
}

const statusReply = (status: number, headers: Readonly<Record<string, string>>): Reply => {
  if (status === 503) return html(503, 'Service Unavailable', headers);
  if (status === 502) return html(502, '502 Bad Gateway', headers);
  if (status === 504) return html(504, '504 Gateway Time-out', headers);
  if (status === 409) return coded(409, 'DatabaseConflict', 'Database collision');
  if (status === 500)
    return json(500, { error: { title: 'Internal Server Error', message: 'An error occurred' } }, headers);
  return empty(status, headers);
};

/** The answer an effect gives in place of the handler's, or null when it gives none (close, hang, truncated). */
export const faultReply = (effect: Exclude<FaultEffect, { kind: 'latency' }>): Reply | null => {
  switch (effect.kind) {
    case 'rate-limited': {
      const headers: Record<string, string> =
        effect.retryAfter === null ? {} : { 'retry-after': String(effect.retryAfter ?? 2) };
      const message = 'Number of allowed API requests per minute exceeded';
      if (effect.body === 'json') return { ...coded(429, 'APIRateLimitExceeded', message), headers };
      if (effect.body === 'html') return text(429, message, 'text/html', headers);
      if (effect.body === 'edge') return edge(429, 'Rate limited by Zendesk edge protection', headers);
      return text(429, message, 'text/plain', headers);
    }
    case 'status': {
      const headers: Record<string, string> =
        effect.retryAfter === undefined ? {} : { 'retry-after': String(effect.retryAfter) };
      if (effect.body === undefined) return statusReply(effect.status, headers);
      return text(effect.status, effect.body, effect.contentType ?? 'application/json', headers);
    }
    case 'html':
      return html(effect.status ?? 500, 'Something went wrong');
    case 'truncated':
    case 'close':
    case 'hang':
      return null;
    default:
      throw effect satisfies never;
  }
};

/** Whether the call takes effect although its answer is spoiled. */
export const isApplied = (effect: Exclude<FaultEffect, { kind: 'latency' }>): boolean =>
  effect.kind === 'truncated' || (effect.kind !== 'rate-limited' && effect.applied === true);
