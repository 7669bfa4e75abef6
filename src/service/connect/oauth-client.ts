/**
 * Which OAuth client asks for access: the one that is named, else that by which the integration is connected
 * already, else the one of the installation.
 *
 * The secret of the installation's client is the operator's. It stays in the configuration, whence it is taken when
 * it is sent to Zendesk: what an ADMIN of a tenant can read holds the client's id and whose it is, and no more.
 */
import { SealdeskError } from '../../base/index.ts';
import type { Integration } from '../../proxy/index.ts';
import {
  type CredentialKey,
  type CredentialSecret,
  openCredentialSecret,
  readCredentialSecret,
} from '../../vault/index.ts';
import type { OAuthClientIdentity } from '../../zendesk/index.ts';
import { notFound } from '../audited.ts';
import { invalidInput } from '../input.ts';
import type { ServiceDeps } from '../service-deps.ts';

export interface NamedClient {
  readonly credentialId: string | null;
  readonly clientId: string | null;
  readonly clientSecret: string | null;
}

export interface ChosenClient {
  readonly clientSource: 'TENANT' | 'INSTALLATION';
  readonly clientId: string;
  /** `null` for a public client, and for that of the installation. */
  readonly clientSecret: string | null;
}

/** What is sent to Zendesk; `null` where the installation has another client by now. */
export function identityOf(
  { connecting }: Pick<ServiceDeps, 'connecting'>,
  { clientSource, clientId, clientSecret }: ChosenClient,
): OAuthClientIdentity | null {
  if (clientSource === 'TENANT') return { clientId, clientSecret };
  return connecting.client?.clientId === clientId ? connecting.client : null;
}

/** Rejects with VALIDATION_FAILED, NOT_FOUND, KMS_UNAVAILABLE, and CONFLICT where there is no client. */
export async function chooseClient(
  deps: ServiceDeps,
  { tenantId, credentialId: presentId }: Pick<Integration, 'tenantId' | 'credentialId'>,
  { credentialId, clientId, clientSecret }: NamedClient,
  signal: AbortSignal,
): Promise<ChosenClient> {
  if (clientId !== null) return { clientSource: 'TENANT', clientId, clientSecret };
  const installation = installationClient(deps);
  if (credentialId !== null) {
    const named = clientOf(await openSecret(deps, { tenantId, credentialId }, signal), installation);
    if (named !== null) return named;
    throw invalidInput([{ path: 'credentialId', message: 'must be a credential of type OAUTH2_CLIENT' }]);
  }
  const present =
    presentId === null
      ? null
      : clientOf(await openSecret(deps, { tenantId, credentialId: presentId }, signal), installation);
  const client = present ?? installation;
  if (client !== null) return client;
  throw new SealdeskError(
    'CONFLICT',
    'There is no OAuth client to connect with. Create one in the Admin Center of Zendesk and name it as clientId, with its clientSecret unless it is public, or as the credentialId of a sealed OAUTH2_CLIENT (docs/connecting.md).',
  );
}

async function openSecret(
  { store, keyring }: ServiceDeps,
  key: CredentialKey,
  signal: AbortSignal,
): Promise<CredentialSecret> {
  const sealed = await store.withTenant(key.tenantId, (tx) => readCredentialSecret(tx, key));
  if (sealed === null) throw notFound('credential');
  return openCredentialSecret({ keyring, sealed, signal });
}

function installationClient({ connecting: { client } }: ServiceDeps): ChosenClient | null {
  return client && { clientSource: 'INSTALLATION', clientId: client.clientId, clientSecret: null };
}

/** The OAuth client that a credential holds, or was made by; `null` for one without, or whose client is no more. */
function clientOf(secret: CredentialSecret, installation: ChosenClient | null): ChosenClient | null {
  const clientSource = 'TENANT';
  switch (secret.type) {
    case 'oauth2_client':
      return { clientSource, clientId: secret.client_id, clientSecret: secret.client_secret };
    case 'oauth2_token':
      if (secret.client_id === undefined) return null;
      if (secret.client_source === 'INSTALLATION') {
        return installation?.clientId === secret.client_id ? installation : null;
      }
      return { clientSource, clientId: secret.client_id, clientSecret: secret.client_secret ?? null };
    case 'basic_auth':
    case 'api_key':
      return null;
    default:
      return secret satisfies never;
  }
}
