/**
 * Logging in by a client key's own signature, in two steps. First the token is proven: whose key it names, and
 * that this key signed it. Then it is used, once: the key may log in, and its `jti` was never seen. Between the
 * two no transaction is open, and a stranger, who proves nothing, writes nothing.
 *
 * `now` is in milliseconds since 1970.
 */
import { compactVerify, errors } from 'jose';
import { encodeBase64Url, SealdeskError } from '../base/index.ts';
import { LOGIN_TOKEN_LIMITS, type LoginToken, ML_DSA_65 } from '../envelope/index.ts';
import type { TenantKind, Tx } from '../store/index.ts';
import type { Caller } from './caller.ts';
import { type ClientKey, isReceiving, parseClientKey } from './client-key.ts';
import { touchClientKey } from './client-keys.ts';
import { explainRefusal } from './recipient.ts';

/** Stands in for a key that is not there, so that every refusal takes the same path: any 1952 bytes are a key. */
const NO_KEY = new Uint8Array(ML_DSA_65.publicKey);
/** How long a used token is kept beyond its time: the clocks of processes differ. */
const SWEEP_DELAY_MS = 600_000;
const SWEEP_BATCH = 10_000;

/** Whose key a token names. */
export interface LoginKey {
  readonly key: ClientKey;
  readonly tenantKind: TenantKind;
}

/** The key in whatever state it is at `now`, or `null`. For `withSystem('client-key-lookup')`. */
export async function findLoginKey(tx: Tx, clientKeyId: string, now: number): Promise<LoginKey | null> {
  const row = await tx
    .selectFrom('client_keys')
    .innerJoin('tenants', 'tenants.id', 'client_keys.tenant_id')
    .selectAll('client_keys')
    .select('tenants.kind as tenant_kind')
    .where('client_keys.id', '=', clientKeyId)
    .executeTakeFirst();
  if (row === undefined) return null;
  const { tenant_kind: tenantKind, ...columns } = row;
  return { key: parseClientKey(columns, now), tenantKind };
}

/** Whether `text`, which was parsed as `token`, is signed by `key`. As long for `null` as for a key. */
export async function isSignedBy(text: string, token: LoginToken, key: ClientKey | null): Promise<boolean> {
  const isSigned = await verifySignature(text, key?.sigPublicKey ?? NO_KEY);
  return isSigned && key?.sigKid === token.kid;
}

async function verifySignature(text: string, publicKey: Uint8Array): Promise<boolean> {
  const { alg } = ML_DSA_65;
  try {
    await compactVerify(text, { kty: 'AKP', alg, pub: encodeBase64Url(publicKey) }, { algorithms: [alg] });
    return true;
  } catch (error) {
    if (error instanceof errors.JOSEError) return false;
    throw error;
  }
}

/** The caller that has proven to hold `key`; what it may do is nothing where its mapping grants no login. */
export function callerOfKey({ key, tenantKind }: LoginKey): Caller {
  return {
    kind: 'CLIENT_KEY',
    id: key.id,
    tenantId: key.tenantId,
    tenantKind,
    roles: key.login?.roles ?? [],
    allowedOperations: key.login?.allowedOperations ?? null,
    clientKeyId: key.id,
    boundKey: key,
    requestsPerMinute: null,
    delivery: 'SEALED',
  };
}

/**
 * Uses a proven token, for good where the transaction commits. Notes the key's use, at most once a minute.
 * Throws CLIENT_KEY_NOT_MAPPED, KEY_REVOKED or FORBIDDEN where the key may not log in, TOKEN_REUSED.
 */
export async function redeemLogin(tx: Tx, { claims }: LoginToken, now: number): Promise<Caller> {
  const found = await findLoginKey(tx, claims.iss, now);
  if (found === null) throw new SealdeskError('KEY_REVOKED', 'The client key is gone.');
  const { key } = found;
  await assertMayLogIn(tx, key, now);
  const used = await tx
    .insertInto('login_tokens')
    .values({
      tenant_id: key.tenantId,
      client_key_id: key.id,
      jti: claims.jti,
      expires_at: new Date((claims.exp + LOGIN_TOKEN_LIMITS.maxSkew) * 1000),
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (used.numInsertedOrUpdatedRows !== 1n) {
    throw new SealdeskError(
      'TOKEN_REUSED',
      'The login token was used before. Sign a new one for each request and each connection.',
    );
  }
  await touchClientKey(tx, { tenantId: key.tenantId, clientKeyId: key.id, now }, key.lastUsedAt);
  return callerOfKey(found);
}

/** Throws CLIENT_KEY_NOT_MAPPED, KEY_REVOKED or FORBIDDEN, saying who must do what. */
export async function assertMayLogIn(tx: Tx, key: ClientKey, now: number): Promise<void> {
  if (!isReceiving(key)) throw await explainRefusal(tx, key, now);
  if (key.login !== null) return;
  throw new SealdeskError(
    'FORBIDDEN',
    `The client key ${key.id} may not log in by itself. An ADMIN or OPERATOR grants that with "login" in mapClientKey when mapping a key; until then send an API key.`,
    { subject: key.id },
  );
}

/** Forgets tokens that are too old to be used again, a batch at most; whether there are none left. For `withSystem('login-token-sweep')`. */
export async function sweepLoginTokens(tx: Tx, now: number): Promise<boolean> {
  const old = tx
    .selectFrom('login_tokens')
    .select(['tenant_id', 'client_key_id', 'jti'])
    .where('expires_at', '<', new Date(now - SWEEP_DELAY_MS))
    .limit(SWEEP_BATCH)
    .forUpdate()
    .skipLocked();
  const { numDeletedRows } = await tx
    .deleteFrom('login_tokens')
    .using(old.as('old'))
    .whereRef('login_tokens.tenant_id', '=', 'old.tenant_id')
    .whereRef('login_tokens.client_key_id', '=', 'old.client_key_id')
    .whereRef('login_tokens.jti', '=', 'old.jti')
    .executeTakeFirstOrThrow();
  return numDeletedRows < BigInt(SWEEP_BATCH);
}
