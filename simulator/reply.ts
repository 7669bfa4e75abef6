/**
 * Answers as values, and the error bodies of Zendesk's five families. Handlers return a `Reply` or throw a
 * `Refusal`; only server.ts writes to sockets.
 */

export type ReplyBody =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'text'; readonly text: string; readonly contentType: string }
  /** JSON that isn't there yet; the answer waits for it. */
  | { readonly kind: 'later'; readonly value: Promise<unknown> }
  | { readonly kind: 'empty' };

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ReplyBody;
}

type Headers = Readonly<Record<string, string>>;

export const json = (status: number, value: unknown, headers: Headers = {}): Reply => ({
  status,
  headers,
  body: { kind: 'json', value },
});

/** A JSON answer whose value is still being worked on. */
export const jsonLater = (status: number, value: Promise<unknown>): Reply => ({
  status,
  headers: {},
  body: { kind: 'later', value },
});

export const text = (
  status: number,
  content: string,
  contentType = 'text/plain',
  headers: Headers = {},
): Reply => ({
  status,
  headers,
  body: { kind: 'text', text: content, contentType: `${contentType}; charset=utf-8` },
});

export const empty = (status: number, headers: Headers = {}): Reply => ({
  status,
  headers,
  body: { kind: 'empty' },
});

/** An answer that ends the handling of a call early. */
export class Refusal extends Error {
  readonly reply: Reply;

  constructor(reply: Reply) {
    super(`refused with ${reply.status}`);
    this.name = 'Refusal';
    this.reply = reply;
  }
}

/** Family 1: `{"error":"RecordNotFound","description":"Not found"}`. */
export const coded = (status: number, error: string, description: string, extra: object = {}): Reply =>
  json(status, { error, description, ...extra });

/** Family 2: `{"error":{"title":…,"message":…}}`. */
export const titled = (status: number, title: string, message: string): Reply =>
  json(status, { error: { title, message } });

/** Family 3: `{"errors":[{"code":…,"title":…,"detail":…}]}`. */
export const listed = (status: number, code: string, title: string, detail: string): Reply =>
  json(status, { errors: [{ code, title, detail }] });

/** Family 5, the edge: `{"status":"429","title":"Automated response","detail":…}`. */
export const edge = (status: number, detail: string, headers: Headers = {}): Reply =>
  json(status, { status: String(status), title: 'Automated response', detail }, headers);

export const html = (status: number, title: string, headers: Headers = {}): Reply =>
  text(
    status,
    `<!DOCTYPE html>\n<html>\n<head><title>${title}</title></head>\n<body>\n<h1>${title}</h1>\n<p>Please try again in a moment.</p>\n</body>\n</html>\n`,
    'text/html',
    headers,
  );

export const recordNotFound = (): Refusal => new Refusal(coded(404, 'RecordNotFound', 'Not found'));

export const invalidAttribute = (attribute: string, rule: string, action: string): Refusal =>
  new Refusal(
    titled(
      400,
      'Invalid attribute',
      `You passed an invalid value for the ${attribute} attribute. Invalid parameter: ${attribute} ${rule} from api/v2/${action}`,
    ),
  );

export const forbidden = (): Refusal =>
  new Refusal(
    titled(
      403,
      'Forbidden',
      'You do not have access to this page. Please contact the account owner of this help desk for further help.',
    ),
  );

export const unauthenticated = (): Refusal =>
  new Refusal(
    json(401, { error: "Couldn't authenticate you" }, { 'www-authenticate': 'Basic realm="Web Password"' }),
  );

export const invalidToken = (): Refusal =>
  new Refusal(
    json(
      401,
      {
        error: 'invalid_token',
        error_description:
          'The access token provided is expired, revoked, malformed or invalid for other reasons.',
      },
      { 'www-authenticate': 'Bearer realm="Zendesk"' },
    ),
  );

/** RFC 6749 §5.2 error of the token endpoint. */
export const oauthError = (status: 400 | 401, error: string, description: string): Refusal =>
  new Refusal(json(status, { error, error_description: description }));
