/**
 * Which host a call goes to. The subdomain is the only part a tenant chooses; it is one DNS label
 * and nothing else, so no input can name another host, port, path or user. The template around it
 * comes from the operator's configuration alone.
 */
import { SealdeskError } from '../base/index.ts';

/** Where Zendesk itself lives. */
export const DEFAULT_ORIGIN_TEMPLATE = 'https://{subdomain}.zendesk.com';

const MAX_LABEL_LENGTH = 63;
const MAX_TEMPLATE_LENGTH = 255;
/** Without `xn--`, which would be another name to the eye than to the network. */
const LABEL = /^(?!xn--)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
const PLACEHOLDER = '{subdomain}';
const SAMPLE_LABEL = 'sealdesk-sample';
const LOOPBACK = /^(?:localhost|[a-z0-9-]+\.localhost|127\.0\.0\.1|\[::1\])$/;

/**
 * `text` as a Zendesk subdomain: one DNS label (RFC 1035 §2.3.1, RFC 1123 §2.1) of 1 to 63 lower-case
 * letters, digits and inner hyphens. Throws VALIDATION_FAILED for anything else.
 */
export function parseSubdomain(text: unknown): string {
  if (typeof text === 'string' && text.length <= MAX_LABEL_LENGTH && LABEL.test(text)) return text;
  const message = `must be the part before .zendesk.com: 1 to ${MAX_LABEL_LENGTH} lower-case letters, digits and inner hyphens`;
  throw new SealdeskError('VALIDATION_FAILED', `The subdomain ${message}.`, {
    fields: [{ path: 'subdomain', message }],
  });
}

/**
 * The operator's origin template, checked at start: `https`, or `http` to this machine only; at most
 * one `{subdomain}`, as the first label of the host; no path, query or user. Throws RangeError.
 */
export function parseOriginTemplate(template: string): string {
  const refuse = (reason: string): never => {
    throw new RangeError(`The Zendesk origin template ${reason}.`);
  };
  if (template.length > MAX_TEMPLATE_LENGTH) refuse(`is longer than ${MAX_TEMPLATE_LENGTH} characters`);
  const pieces = template.split(PLACEHOLDER);
  if (pieces.length > 2) refuse(`names ${PLACEHOLDER} more than once`);
  if (pieces.length === 2 && !(/^https?:\/\/$/.test(pieces[0] ?? '') && pieces[1]?.startsWith('.'))) {
    refuse(`must have ${PLACEHOLDER} as the first label of the host`);
  }
  const sample = pieces.join(SAMPLE_LABEL);
  const url = URL.parse(sample) ?? refuse('is not a URL');
  if (url.origin !== sample) refuse('must be a bare origin, such as https://{subdomain}.zendesk.com');
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname)) {
    refuse('may use http for this machine only, since it carries credentials');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') refuse('must use https');
  return template;
}

/** The origin (`https://acme.zendesk.com`) of the account `subdomain`, in the URL standard's form. */
export function zendeskOrigin(subdomain: string, originTemplate: string = DEFAULT_ORIGIN_TEMPLATE): string {
  return parseOriginTemplate(originTemplate).replace(PLACEHOLDER, parseSubdomain(subdomain));
}
