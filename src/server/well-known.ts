import { SealdeskError } from '../base/index.ts';
import type { Services } from '../service/index.ts';
import { type Answer, jsonAnswer } from './answer.ts';

const PATH = /^\/\.well-known\/sealdesk\/([^/]+)\/keys\.json$/;
const CACHE_SECONDS = 300;

/** `GET /.well-known/sealdesk/{tenantId}/keys.json`: the public keys that sign a tenant's envelopes. */
export async function wellKnownKeysRoute(services: Services, path: string): Promise<Answer> {
  const tenantId = PATH.exec(path)?.[1];
  if (tenantId === undefined) throw new SealdeskError('NOT_FOUND', 'There is no such route.');
  return jsonAnswer(200, await services.getSigningKeyDocument(tenantId), {
    'content-type': 'application/jwk-set+json',
    'cache-control': `public, max-age=${CACHE_SECONDS}`,
    'access-control-allow-origin': '*',
  });
}
