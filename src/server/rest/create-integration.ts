import { dataAnswer } from '../answer.ts';
import { parseJsonBody } from './json-body.ts';
import { renameMembers } from './member-names.ts';
import type { RestRoute } from './rest-route.ts';

const NAMES = Object.freeze({
  system_type: 'systemType',
  credential_id: 'credentialId',
  allowed_operations: 'allowedOperations',
});

/** `POST /api/v2/integrations` with `system_type`, `name?`, `config.subdomain`, `credential_id?`, `allowed_operations?`: 201. */
export const createIntegrationRoute: RestRoute = async (services, call, incoming) => {
  const { integration, auditEventId } = await services.createIntegration(
    call,
    renameMembers(parseJsonBody(incoming), NAMES),
  );
  return dataAnswer(
    201,
    {
      integration_id: integration.id,
      system_type: integration.systemType,
      status: integration.status,
      allowed_operations: integration.allowedOperations,
    },
    call.requestId,
    auditEventId,
  );
};
