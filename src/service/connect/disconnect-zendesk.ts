/**
 * Taking an account's access back: its tokens are revoked at Zendesk and the credential is deleted here. The
 * integration stays, with its policy and its history, and can be connected again. Where Zendesk cannot be asked the
 * credential is deleted all the same, and the answer says that it was not revoked there.
 */
import { z } from 'zod';
import type { Role } from '../../access/index.ts';
import { SealdeskError } from '../../base/index.ts';
import {
  type Call,
  clearReconnect,
  findIntegration,
  type Integration,
  toIntegration,
} from '../../proxy/index.ts';
import { type CredentialType, notify, type Tx } from '../../store/index.ts';
import { deleteCredential, lockCredential, readCredential } from '../../vault/index.ts';
import { notFound } from '../audited.ts';
import { auditedChange } from '../feed/audited-change.ts';
import { idField, parseInput } from '../input.ts';
import { holdWithoutFeed, type IntegrationView } from '../integrations.ts';
import type { ServiceDeps } from '../service-deps.ts';

const ADMIN: readonly Role[] = ['ADMIN'];
const Input = z.strictObject({ integrationId: idField('integration') });
const MAX_NAMED = 10;
const REVOKE_MS = 20_000;

export interface Disconnection {
  readonly integration: IntegrationView;
  /** The credential that is gone. */
  readonly deletedId: string;
  /** Whether it is proven that Zendesk accepts nothing of it any more. */
  readonly isRevoked: boolean;
  /** What was done, and what is left to do, in plain words. */
  readonly message: string;
  readonly auditEventId: string;
}

interface Admitted {
  readonly integration: Integration & { readonly credentialId: string };
  readonly type: CredentialType;
}

interface Revocation {
  readonly isRevoked: boolean;
  readonly message: string;
}

/**
 * Rejects with CONFLICT where there is no credential, where another integration uses it too, or where the change
 * feed is on. For ADMIN.
 */
export async function disconnectZendesk(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<Disconnection> {
  const { integrationId } = parseInput(Input, input);
  const { result, auditEventId } = await auditedChange(deps, call, {
    action: 'connection.end',
    roles: ADMIN,
    integrationId,
    admit: (tx, tenantId) => admit(tx, tenantId, integrationId),
    send: (admitted) => revoke(deps, admitted),
    async commit(tx, { tenantId }, admitted, revocation) {
      const { credentialId } = admitted.integration;
      // The credential first, as everybody takes the two; that it is gone is found below.
      await lockCredential(tx, { tenantId, credentialId });
      await holdWithoutFeed(tx, { tenantId, integrationId });
      await clearReconnect(tx, { tenantId, credentialId });
      const row = await tx
        .updateTable('integrations')
        .set({ credential_id: null, updated_at: new Date(deps.clock.now()) })
        .where('tenant_id', '=', tenantId)
        .where('id', '=', integrationId)
        .where('credential_id', '=', credentialId)
        .returningAll()
        .executeTakeFirst();
      if (row === undefined) {
        throw new SealdeskError(
          'CONFLICT',
          'The integration was given another credential meanwhile. Look at it and disconnect it again.',
        );
      }
      await deleteCredential(tx, { tenantId, credentialId });
      await notify(tx, 'rights', tenantId);
      return { integration: toIntegration(row), deletedId: credentialId, ...revocation };
    },
  });
  return { ...result, auditEventId };
}

async function admit(tx: Tx, tenantId: string, integrationId: string): Promise<Admitted> {
  await holdWithoutFeed(tx, { tenantId, integrationId });
  const integration = await findIntegration(tx, tenantId, integrationId);
  if (integration === null) throw notFound('integration');
  const { credentialId } = integration;
  const credential = credentialId === null ? null : await readCredential(tx, { tenantId, credentialId });
  if (credentialId === null || credential === null) {
    throw new SealdeskError('CONFLICT', 'The integration has no credential: it is not connected.');
  }
  const others = await tx
    .selectFrom('integrations')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('credential_id', '=', credentialId)
    .where('id', '<>', integrationId)
    .orderBy('id')
    .limit(MAX_NAMED)
    .execute();
  if (others.length > 0) {
    throw new SealdeskError(
      'CONFLICT',
      'Other integrations use the same credential, and would be disconnected with it. Give them another one, or delete them, first.',
      { subject: others.map(({ id }) => id).join(', ') },
    );
  }
  return { integration: { ...integration, credentialId }, type: credential.type };
}

async function revoke(deps: ServiceDeps, { integration, type }: Admitted): Promise<Revocation> {
  switch (type) {
    case 'basic_auth':
    case 'api_key':
      return { isRevoked: false, message: API_TOKEN_LEFT };
    case 'oauth2_client':
      await askToRevoke(deps, integration);
      return { isRevoked: false, message: CLIENT_LEFT };
    case 'oauth2_token':
      return REVOCATIONS[await askToRevoke(deps, integration)];
    default:
      return type satisfies never;
  }
}

/** What became of the tokens at Zendesk. ENDED: proven to be good for nothing. */
type Fate = 'REVOKED' | 'ENDED' | 'NOT_ACCEPTED' | 'NOT_REACHED';

const API_TOKEN_LEFT =
  'The credential is deleted here. An API token cannot be revoked from here: deactivate it in the Admin Center of Zendesk.';
const CLIENT_LEFT =
  'The credential is deleted here. Whoever has the secret of the OAuth client can fetch tokens with it all the same: delete the client, or give it another secret, in the Admin Center of Zendesk.';
const REVOCATIONS: Readonly<Record<Fate, Revocation>> = Object.freeze({
  REVOKED: {
    isRevoked: true,
    message: 'The access is revoked at Zendesk, and the credential is deleted here.',
  },
  ENDED: {
    isRevoked: true,
    message: 'Zendesk did not accept the access any more, and the credential is deleted here.',
  },
  NOT_ACCEPTED: {
    isRevoked: false,
    message:
      'The credential is deleted here. Zendesk did not accept it, so that nothing could be revoked with it: what was granted may live on there until it expires. Revoke it in the Admin Center of Zendesk, under OAuth clients.',
  },
  NOT_REACHED: {
    isRevoked: false,
    message:
      'The credential is deleted here, but Zendesk could not be told: what it granted may live on there until it expires. Revoke it in the Admin Center of Zendesk, under OAuth clients.',
  },
});

async function askToRevoke(deps: ServiceDeps, integration: Admitted['integration']): Promise<Fate> {
  const { tenantId, subdomain, credentialId } = integration;
  try {
    await deps.connections.clientFor({ tenantId, subdomain, credentialId }).request({
      method: 'DELETE',
      path: '/api/v2/oauth/tokens/current.json',
      mutation: true,
      deadline: deps.clock.now() + REVOKE_MS,
    });
    return 'REVOKED';
  } catch (error) {
    if (!(error instanceof SealdeskError)) throw error;
    const fate = await fateAfter(deps, integration, error);
    if (fate !== 'ENDED') {
      deps.log.warn('Access could not be revoked at Zendesk', { integrationId: integration.id, error });
    }
    return fate;
  }
}

/** What the failure proves; why the connection was lost is read anew, since it may have been lost by this very call. */
async function fateAfter(
  { store }: ServiceDeps,
  { tenantId, id }: Integration,
  error: SealdeskError,
): Promise<Fate> {
  if (error.code === 'UPSTREAM_UNAUTHENTICATED') return 'NOT_ACCEPTED';
  if (error.code !== 'NEEDS_RECONNECT') return 'NOT_REACHED';
  const integration = await store.withTenant(tenantId, (tx) => findIntegration(tx, tenantId, id));
  const reason = integration?.reconnect?.reason;
  switch (reason) {
    case 'EXPIRED':
      return 'ENDED';
    case 'REFUSED':
      // Of a loss before this call it is not known what was refused, the pair or the client.
      return error.details.upstreamError === 'invalid_grant' ? 'ENDED' : 'NOT_ACCEPTED';
    // Tokens that were lost on their way may live on.
    case 'LOST_IN_REFRESH':
    case undefined:
      return 'NOT_ACCEPTED';
    default:
      return reason satisfies never;
  }
}
