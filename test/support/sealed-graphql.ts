/** GraphQL as `sealedFetch` sends it: with the Accept, a fresh nonce, and the answer opened and held against them. */
import { createHash } from 'node:crypto';
import { encodeBase64Url } from '../../src/base/index.ts';
import type { ProtectedHeader } from '../../src/envelope/index.ts';
import type { RestAnswer, SendOptions, TestGateway } from './gateway.ts';
import type { TestTenant } from './tenant.ts';

export const SEALED_ACCEPT =
  'application/vnd.sealdesk.envelope+json, application/graphql-response+json;q=0.9, application/json;q=0.8';

export interface SealedGraphqlOptions extends Pick<SendOptions, 'apiKey' | 'headers' | 'signal'> {
  readonly variables?: unknown;
}

export interface SealedGraphqlAnswer {
  readonly status: number;
  readonly headers: RestAnswer['headers'];
  /** The body as it came: an envelope, or a failure in the clear. */
  readonly json: RestAnswer['json'];
  /** The protected header, `null` where the answer came in the clear. */
  readonly header: ProtectedHeader | null;
  /** SHA-256 of the envelope's transcript, as the audit log names it. */
  readonly transcriptSha256: string | null;
  /** The execution result: what was in the envelope, else the failure in the clear. */
  readonly result: RestAnswer['json'];
}

/** Asks as the tenant's agent, unless another key is given. Rejects where the answer is not one to this request. */
export async function sealedGraphql(
  gateway: TestGateway,
  tenant: TestTenant,
  query: string,
  options: SealedGraphqlOptions = {},
): Promise<SealedGraphqlAnswer> {
  const { variables, apiKey = tenant.keys.agent, ...sent } = options;
  const body = JSON.stringify({ query, variables });
  const nonce = encodeBase64Url(crypto.getRandomValues(new Uint8Array(32)));
  const { status, headers, json } = await gateway.send('/graphql', {
    ...sent,
    apiKey,
    body,
    headers: { accept: SEALED_ACCEPT, 'x-sealdesk-nonce': nonce, ...sent.headers },
  });
  if (headers['content-type'] !== 'application/vnd.sealdesk.envelope+json') {
    return { status, headers, json, header: null, transcriptSha256: null, result: json };
  }
  const { header, plaintext, transcriptSha256 } = await tenant.opener.open(json, {
    purposes: ['graphql.result'],
    request_target: 'POST /graphql',
    request_sha256: encodeBase64Url(createHash('sha256').update(body).digest()),
    client_nonce: nonce,
  });
  const result: RestAnswer['json'] = JSON.parse(new TextDecoder().decode(plaintext));
  return { status, headers, json, header, transcriptSha256, result };
}
