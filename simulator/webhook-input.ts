/** Reads `{"webhook":{…}}` into checked fields. Refusals are of the family `{"errors":[{code,title,detail}]}`. */
import { z } from 'zod';
import { listed, Refusal } from './reply.ts';
import { CONDITIONAL_EVENTS, KNOWN_SUBSCRIPTIONS } from './webhook-event-types.ts';
import type { Webhook, WebhookAuthentication, WebhookFields } from './webhook-registry.ts';

const MAX_CUSTOM_HEADERS = 5;

const position = z.literal('header').default('header');
const text = z.string().min(1).max(4096);

const authenticationSchema = z
  .discriminatedUnion('type', [
    z.object({
      type: z.literal('basic_auth'),
      add_position: position,
      data: z.object({ username: text, password: z.string().max(4096) }),
    }),
    z.object({ type: z.literal('bearer_token'), add_position: position, data: z.object({ token: text }) }),
    z.object({
      type: z.literal('api_key'),
      add_position: position,
      data: z.object({ name: z.string().regex(/^[\w-]{1,128}$/), value: text }),
    }),
  ])
  .nullable();

const webhookSchema = z.object({
  name: z.string().trim().min(1).max(255),
  description: z.string().max(4096).nullable(),
  status: z.enum(['active', 'inactive']),
  endpoint: z.string().max(2048),
  http_method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
  request_format: z.enum(['json', 'xml', 'form_encoded']),
  subscriptions: z.array(z.string().max(200)).max(200),
  authentication: authenticationSchema,
  custom_headers: z.record(z.string().regex(/^[\w-]{1,128}$/), z.string().max(4096)),
});
type WebhookInput = z.infer<typeof webhookSchema>;

const invalid = (detail: string): Refusal =>
  new Refusal(listed(400, 'InvalidWebhook', 'Webhook is invalid', detail));

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Zendesk takes https only; a simulator must reach receivers beside it too. */
const assertEndpoint = (endpoint: string): void => {
  if (!URL.canParse(endpoint)) throw invalid('endpoint is not a valid URL');
  const url = new URL(endpoint);
  if (url.protocol === 'https:') return;
  if (url.protocol === 'http:' && LOOPBACK.test(url.hostname)) return;
  throw invalid('endpoint must be an https URL, or http on a loopback host');
};

const assertSubscriptions = (input: WebhookInput): void => {
  const { subscriptions } = input;
  const unknown = subscriptions.find((name) => !KNOWN_SUBSCRIPTIONS.has(name));
  if (unknown !== undefined) throw invalid(`subscriptions: ${unknown} is not a valid event type`);
  if (!subscriptions.includes(CONDITIONAL_EVENTS)) {
    if (subscriptions.length > 0 && (input.http_method !== 'POST' || input.request_format !== 'json')) {
      throw invalid('a webhook subscribed to events must use http_method POST and request_format json');
    }
  } else if (subscriptions.length > 1) {
    throw invalid(`subscriptions: ${CONDITIONAL_EVENTS} cannot be combined with event types`);
  }
};

const readAuthentication = (input: WebhookInput['authentication']): WebhookAuthentication | null => {
  if (input === null) return null;
  switch (input.type) {
    case 'basic_auth':
      return { type: input.type, ...input.data };
    case 'bearer_token':
      return { type: input.type, ...input.data };
    case 'api_key':
      return { type: input.type, ...input.data };
    default:
      throw input satisfies never;
  }
};

const isConditional = (subscriptions: readonly string[]): boolean =>
  subscriptions.includes(CONDITIONAL_EVENTS);

const parse = (value: unknown): WebhookFields => {
  const result = webhookSchema.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw invalid(`${issue?.path.join('.') ?? 'webhook'}: ${issue?.message ?? 'is invalid'}`);
  }
  const input = result.data;
  assertEndpoint(input.endpoint);
  assertSubscriptions(input);
  if (Object.keys(input.custom_headers).length > MAX_CUSTOM_HEADERS) {
    throw invalid(`custom_headers: at most ${MAX_CUSTOM_HEADERS}`);
  }
  return {
    name: input.name,
    description: input.description,
    status: input.status,
    endpoint: input.endpoint,
    httpMethod: input.http_method,
    requestFormat: input.request_format,
    subscriptions: [...new Set(input.subscriptions)],
    authentication: readAuthentication(input.authentication),
    customHeaders: input.custom_headers,
  };
};

const OPTIONAL = { description: null, subscriptions: [], authentication: null, custom_headers: {} };

/** The fields of a new webhook, or all fields of a replaced one. */
export const parseWebhook = (input: Readonly<Record<string, unknown>>): WebhookFields =>
  parse({ ...OPTIONAL, ...input });

/** The fields of `current` with those named in `input` replaced. An unnamed authentication stays. */
export const parseWebhookChange = (
  current: Webhook,
  input: Readonly<Record<string, unknown>>,
): WebhookFields => {
  const fields = parse({
    name: current.name,
    description: current.description,
    status: current.status,
    endpoint: current.endpoint,
    http_method: current.httpMethod,
    request_format: current.requestFormat,
    subscriptions: current.subscriptions,
    custom_headers: current.customHeaders,
    ...input,
    authentication: input['authentication'] ?? null,
  });
  const authentication =
    input['authentication'] === undefined ? current.authentication : fields.authentication;
  return { ...fields, authentication };
};

/** A webhook can't be switched between event types and triggers. */
export const assertSameKind = (current: Webhook, fields: WebhookFields): void => {
  if (isConditional(current.subscriptions) !== isConditional(fields.subscriptions)) {
    throw invalid('subscriptions: a webhook cannot be switched between event types and triggers');
  }
};
