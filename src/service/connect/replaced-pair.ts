/**
 * The pair of tokens whose place another takes in the same credential. To Zendesk the two are strangers, and the
 * older would live on; so it is revoked there once the newer is in place.
 */
import {
  type CredentialKey,
  openAccessToken,
  openCredentialSecret,
  readAccessToken,
  readCredentialSecret,
} from '../../vault/index.ts';
import { REFRESH_TOKEN_SECONDS } from '../../zendesk/index.ts';
import type { ServiceDeps } from '../service-deps.ts';

export interface ReplacedPair {
  /** What revokes it; `null` where it could not be opened. */
  readonly accessToken: string | null;
  /** When it ends by itself at the latest. */
  readonly until: Date;
}

/** The newest pair of the credential; `null` where it has none that can be refreshed, or that has not ended. */
export async function readReplacedPair(
  { store, keyring, clock, log }: ServiceDeps,
  key: CredentialKey,
): Promise<ReplacedPair | null> {
  const { secret, token } = await store.withTenant(key.tenantId, async (tx) => ({
    secret: await readCredentialSecret(tx, key),
    token: await readAccessToken(tx, key),
  }));
  if (secret === null || token === null || token.credentialVersion !== secret.version) return null;
  const until = token.refreshExpiresAt ?? new Date(clock.now() + REFRESH_TOKEN_SECONDS.most * 1_000);
  if (until.getTime() <= clock.now()) return null;
  try {
    const opened =
      token.sealed === null
        ? await openCredentialSecret({ keyring, sealed: secret })
        : await openAccessToken({ keyring, sealed: token.sealed });
    return { accessToken: 'access_token' in opened ? opened.access_token : null, until };
  } catch (error) {
    // A credential that cannot be opened any more is what connecting again may be meant to mend.
    log.warn('Tokens that are replaced could not be opened to revoke them at Zendesk', {
      tenantId: key.tenantId,
      error: error instanceof Error ? error : undefined,
    });
    return { accessToken: null, until };
  }
}
