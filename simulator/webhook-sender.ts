/** Sends one signed webhook request over kept-alive connections. Redirects are answers, not followed. */
import { Agent, request } from 'undici';
import { ACCOUNT_ID } from './account.ts';
import type { SimulatorClock } from './options.ts';
import { isoTime } from './people-view.ts';
import type { WebhookAuthentication, WebhookFields } from './webhook-registry.ts';
import { signWebhook } from './webhook-signature.ts';

/** Longest answer read; the rest is let go. */
const MAX_ANSWER_BYTES = 65_536;

/** What a request goes by: a stored webhook, or the one of a test that isn't stored. */
export interface SendTarget
  extends Pick<WebhookFields, 'endpoint' | 'httpMethod' | 'authentication' | 'customHeaders'> {
  readonly id: string;
  readonly secret: string;
}

export type SendResult =
  | {
      readonly outcome: 'answered';
      readonly status: number;
      readonly retryAfter: string | null;
      readonly headers: Readonly<Record<string, string>>;
      readonly text: string;
    }
  | { readonly outcome: 'timeout' }
  | { readonly outcome: 'unreachable' };

const authenticationHeaders = (authentication: WebhookAuthentication | null): Record<string, string> => {
  if (authentication === null) return {};
  switch (authentication.type) {
    case 'basic_auth': {
      const login = Buffer.from(`${authentication.username}:${authentication.password}`).toString('base64');
      return { authorization: `Basic ${login}` };
    }
    case 'bearer_token':
      return { authorization: `Bearer ${authentication.token}` };
    case 'api_key':
      return { [authentication.name.toLowerCase()]: authentication.value };
    default:
      throw authentication satisfies never;
  }
};

export class WebhookSender {
  readonly #clock: SimulatorClock;
  readonly #timeoutMs: number;
  readonly #agent = new Agent();

  constructor(clock: SimulatorClock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** Never rejects: what goes wrong is an outcome. The signature is made anew at every call. */
  async send(target: SendTarget, body: string, invocationId: string): Promise<SendResult> {
    const timestamp = isoTime(this.#clock.now());
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), this.#timeoutMs);
    try {
      const response = await request(target.endpoint, {
        dispatcher: this.#agent,
        method: target.httpMethod,
        signal: abort.signal,
        body: target.httpMethod === 'GET' ? null : body,
        headers: {
          ...Object.fromEntries(
            Object.entries(target.customHeaders).map(([name, value]) => [name.toLowerCase(), value]),
          ),
          ...authenticationHeaders(target.authentication),
          'user-agent': 'Zendesk Webhook',
          'content-type': 'application/json; charset=utf-8',
          'x-zendesk-account-id': String(ACCOUNT_ID),
          'x-zendesk-webhook-id': target.id,
          'x-zendesk-webhook-invocation-id': invocationId,
          'x-zendesk-webhook-signature-timestamp': timestamp,
          'x-zendesk-webhook-signature': signWebhook(target.secret, timestamp, body),
        },
      });
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(response.headers)) {
        if (value !== undefined) headers[name] = String(value);
      }
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of response.body) {
        if (!Buffer.isBuffer(chunk)) continue;
        size += chunk.length;
        chunks.push(chunk);
        if (size >= MAX_ANSWER_BYTES) break;
      }
      const text = Buffer.concat(chunks).toString('utf8').slice(0, MAX_ANSWER_BYTES);
      const retryAfter = headers['retry-after'] ?? null;
      return { outcome: 'answered', status: response.statusCode, retryAfter, headers, text };
    } catch {
      return { outcome: abort.signal.aborted ? 'timeout' : 'unreachable' };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Breaks off what is being sent. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}
