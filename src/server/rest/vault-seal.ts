import { dataAnswer } from '../answer.ts';
import { parseJsonBody } from './json-body.ts';
import { renameMembers } from './member-names.ts';
import type { RestRoute } from './rest-route.ts';

const NAMES = Object.freeze({ credential_type: 'type', expires_at: 'expiresAt' });

/** `POST /api/v2/vault/seal` with `credential_type`, `secret`, `name?`, `expires_at?`: 201 and the credential's metadata. */
export const vaultSealRoute: RestRoute = async (services, call, incoming) => {
  const { credential, auditEventId } = await services.sealCredential(
    call,
    renameMembers(parseJsonBody(incoming), NAMES),
  );
  return dataAnswer(
    201,
    {
      credential_id: credential.id,
      credential_type: credential.type,
      version: credential.version,
      expires_at: credential.expiresAt?.toISOString() ?? null,
    },
    call.requestId,
    auditEventId,
  );
};
