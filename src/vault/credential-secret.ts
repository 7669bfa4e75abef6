/**
 * The four types of credentials and what each must hold. Values are checked for what would break or
 * inject into an HTTP header; whether Zendesk accepts them is found out by using them. What is wrong
 * is told by the names of fields, never by a value: an unknown member is not even named, since it may
 * be a secret in the wrong place.
 */
import { z } from 'zod';
import { type FieldIssue, SealdeskError } from '../base/index.ts';
import type { CredentialType } from '../store/index.ts';

const MAX_TOKEN_LENGTH = 8_192;
const MAX_CLIENT_ID_LENGTH = 255;
const MAX_SECRET_LENGTH = 1_024;
const MAX_SCOPE_LENGTH = 1_024;
const MAX_USERNAME_LENGTH = 254;

const text = (max: number, pattern: RegExp, rule: string) =>
  z
    .string('must be text')
    .min(1, 'must not be empty')
    .max(max, `must be at most ${max} characters`)
    .regex(pattern, rule);
const visible = (max: number) =>
  text(max, /^[\x21-\x7e]+$/, 'must be visible ASCII characters without spaces');
const spaced = (max: number) =>
  text(max, /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/, 'must be words of visible ASCII');

const time = z.iso.datetime({ offset: true, error: 'must be a time as RFC 3339 writes it' });

const SET_BY_CONNECTING = 'is set by connectZendesk alone';

const SCHEMAS = {
  oauth2_token: z
    .strictObject({
      access_token: visible(MAX_TOKEN_LENGTH),
      refresh_token: visible(MAX_TOKEN_LENGTH).optional(),
      /** RFC 3339, with offset. */
      expires_at: time.optional(),
      /** The same, of the refresh token. */
      refresh_expires_at: time.optional(),
      client_id: spaced(MAX_CLIENT_ID_LENGTH).optional(),
      client_secret: visible(MAX_SECRET_LENGTH).optional(),
      /** The client is that of the installation, whose secret no tenant holds. Written by connecting alone. */
      client_source: z.literal('INSTALLATION', SET_BY_CONNECTING).optional(),
      scope: spaced(MAX_SCOPE_LENGTH).optional(),
    })
    .refine((secret) => secret.refresh_token === undefined || secret.client_id !== undefined, {
      path: ['client_id'],
      error: 'is needed to use the refresh_token',
    })
    .refine((secret) => secret.refresh_expires_at === undefined || secret.refresh_token !== undefined, {
      path: ['refresh_token'],
      error: 'is needed where refresh_expires_at is given',
    }),
  oauth2_client: z.strictObject({
    client_id: spaced(MAX_CLIENT_ID_LENGTH),
    client_secret: visible(MAX_SECRET_LENGTH),
    scope: spaced(MAX_SCOPE_LENGTH).optional(),
  }),
  basic_auth: z.strictObject({
    /** The agent's e-mail address, as it is: `/token` is added when the header is made. */
    username: visible(MAX_USERNAME_LENGTH)
      .refine((name) => !name.endsWith('/token'), {
        error: 'must be the e-mail address alone; /token is added by the gateway',
        abort: true,
      })
      .pipe(z.email('must be an e-mail address')),
    /** The API token. */
    password: visible(MAX_SECRET_LENGTH),
  }),
  api_key: z.strictObject({ api_key: visible(MAX_TOKEN_LENGTH) }),
} as const satisfies Record<CredentialType, z.ZodType>;

type SecretOf<T extends CredentialType> = { readonly type: T } & Readonly<z.infer<(typeof SCHEMAS)[T]>>;

/** A credential in the clear. Hold it as short as you can: its strings cannot be wiped. */
export type CredentialSecret = { [T in CredentialType]: SecretOf<T> }[CredentialType];

export const CREDENTIAL_TYPES: readonly CredentialType[] = Object.freeze(
  Object.keys(SCHEMAS) as CredentialType[],
);

export function isCredentialType(type: unknown): type is CredentialType {
  return typeof type === 'string' && Object.hasOwn(SCHEMAS, type);
}

/** When the tokens of a pair end that can be refreshed; `null` where it is not told. */
export interface TokenEnds {
  readonly expiresAt: Date | null;
  readonly refreshExpiresAt: Date | null;
}

/** The ends of the secret's own pair; `null` where there is no refresh token, so that nothing follows it. */
export function tokenEndsOf(secret: CredentialSecret): TokenEnds | null {
  if (secret.type !== 'oauth2_token' || secret.refresh_token === undefined) return null;
  const { expires_at: expiresAt, refresh_expires_at: refreshExpiresAt } = secret;
  return {
    expiresAt: expiresAt === undefined ? null : new Date(expiresAt),
    refreshExpiresAt: refreshExpiresAt === undefined ? null : new Date(refreshExpiresAt),
  };
}

/** When the credential ends by itself: a token that cannot be refreshed may carry its own end. */
export function expiryOfSecret(secret: CredentialSecret): Date | null {
  if (secret.type !== 'oauth2_token' || secret.refresh_token !== undefined) return null;
  return secret.expires_at === undefined ? null : new Date(secret.expires_at);
}

/** What an admin who seals a credential of this type should know, or `null`. Source: Zendesk's announcement of the retirement of API tokens. */
export function credentialWarning(type: CredentialType): string | null {
  if (type !== 'basic_auth') return null;
  return 'Zendesk stops accepting API tokens on 2027-04-30. Replace this credential by oauth2_client or oauth2_token before then.';
}

/**
 * `input`, which somebody gave, as a credential of type `type`. Throws `VALIDATION_FAILED` with the paths of the
 * fields that are wrong, each below `path` where that is given.
 */
export function parseCredentialSecret(type: unknown, input: unknown, path = ''): CredentialSecret {
  const secret = parseStoredSecret(type, input, path);
  if (secret.type !== 'oauth2_token' || secret.client_source === undefined) return secret;
  // Else whoever seals a token could borrow the secret of the installation's client.
  throw invalid([{ path: pathBelow(path, ['client_source']), message: SET_BY_CONNECTING }]);
}

/** The same of what the gateway sealed itself, which may say that its client is the installation's. */
export function parseStoredSecret(type: unknown, input: unknown, path = ''): CredentialSecret {
  if (!isCredentialType(type)) {
    const message = `must be one of ${CREDENTIAL_TYPES.join(', ')}`;
    throw invalid([{ path: 'type', message }]);
  }
  const parsed = SCHEMAS[type].safeParse(input);
  if (!parsed.success) throw invalid(parsed.error.issues.map((issue) => fieldIssue(issue, path)));
  return { type, ...parsed.data } as CredentialSecret;
}

function invalid(fields: readonly FieldIssue[]): SealdeskError {
  return new SealdeskError('VALIDATION_FAILED', 'The credential cannot be accepted as it is.', { fields });
}

function fieldIssue(issue: z.core.$ZodIssue, path: string): FieldIssue {
  const at = pathBelow(path, issue.path);
  if (issue.code === 'unrecognized_keys') {
    return { path: at, message: 'has a member that this type of credential does not have' };
  }
  if (issue.path.length === 0) return { path: at, message: 'must be an object' };
  return { path: at, message: issue.message };
}

function pathBelow(path: string, keys: readonly PropertyKey[]): string {
  return [...(path === '' ? [] : [path]), ...keys.map(String)].join('.');
}
