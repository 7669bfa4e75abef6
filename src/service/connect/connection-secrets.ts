/** What an authorization keeps sealed while it is under way. */
import { z } from 'zod';
import { authorizationLocation, type OpenAuthorization } from '../../proxy/index.ts';
import type { TenantKeys } from '../../vault/index.ts';
import type { TokenPair } from '../../zendesk/index.ts';

const Secrets = z.strictObject({
  verifier: z.string(),
  clientSource: z.enum(['TENANT', 'INSTALLATION']),
  clientId: z.string(),
  clientSecret: z.string().nullable(),
  subdomain: z.string(),
  returnTo: z.string().nullable(),
});
const Pair = z.strictObject({
  accessToken: z.string(),
  refreshToken: z.string().nullable(),
  expiresAt: z.number(),
  refreshExpiresAt: z.number().nullable(),
  scopes: z.array(z.string()).nullable(),
});

export type ConnectionSecrets = Readonly<z.infer<typeof Secrets>>;

export function sealSecrets(keys: TenantKeys, id: string, secrets: ConnectionSecrets): Uint8Array {
  return keys.sealText(authorizationLocation(id, 'secrets'), JSON.stringify(secrets));
}

/** Throws `INTERNAL` where anything stored was altered. */
export function openSecrets(keys: TenantKeys, { id, secrets }: OpenAuthorization): ConnectionSecrets {
  return Secrets.parse(JSON.parse(keys.openText(authorizationLocation(id, 'secrets'), secrets)));
}

export function sealPair(keys: TenantKeys, id: string, pair: TokenPair): Uint8Array {
  return keys.sealText(authorizationLocation(id, 'pair'), JSON.stringify(pair));
}

/** `null` before there is one. Throws `INTERNAL` where anything stored was altered. */
export function openPair(keys: TenantKeys, { id, pair }: OpenAuthorization): TokenPair | null {
  return pair === null
    ? null
    : Pair.parse(JSON.parse(keys.openText(authorizationLocation(id, 'pair'), pair)));
}
