import { SealdeskError } from '../base/index.ts';
import type { Services } from '../service/index.ts';
import { type Answer, jsonAnswer } from './answer.ts';

const PATH = /^\/\.well-known\/sealdesk\/([^/]+)\/(keys|audit-keys)\.json$/;
const CACHE_SECONDS = 300;

/**
 * `GET /.well-known/sealdesk/{tenantId}/keys.json`: the public keys that sign a tenant's envelopes; and beside
 * it `audit-keys.json`: those that sign the checkpoints of its audit log.
 */
export async function wellKnownKeysRoute(services: Services, path: string): Promise<Answer> {
  const [, tenantId, document] = PATH.exec(path) ?? [];
  if (tenantId === undefined) throw new SealdeskError('NOT_FOUND', 'There is no such route.');
  const isAudit = document === 'audit-keys';
  const keys = await (isAudit
    ? services.getAuditKeyDocument(tenantId)
    : services.getSigningKeyDocument(tenantId));
  return jsonAnswer(200, keys, {
    'content-type': isAudit ? 'application/json' : 'application/jwk-set+json',
    'cache-control': `public, max-age=${CACHE_SECONDS}`,
    'access-control-allow-origin': '*',
  });
}
