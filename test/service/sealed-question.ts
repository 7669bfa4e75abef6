/** A question whose sealed answer is looked at from outside: to which key it was sealed, or why it was not. */
import { encodeBase64Url, parseBase64 } from '../../src/base/index.ts';
import { parseProtectedHeader } from '../../src/envelope/index.ts';
import type { RestAnswer, TestGateway } from '../support/gateway.ts';
import { SEALED_ACCEPT } from '../support/sealed-graphql.ts';

export interface SealedReply {
  /** The key that the answer was sealed to, `null` for a failure in the clear. */
  readonly recipient: string | null;
  readonly code: string | null;
  readonly message: string;
  readonly subject: string | null;
  readonly json: RestAnswer['json'];
}

/** Asks who the caller is, sealed; `keyId` is named as the recipient. */
export async function askSealed(
  gateway: TestGateway,
  apiKey: string,
  keyId: string | null,
): Promise<SealedReply> {
  const { json } = await gateway.send('/graphql', {
    apiKey,
    json: { query: '{ viewer { tenant { id } } }' },
    headers: {
      accept: SEALED_ACCEPT,
      'x-sealdesk-nonce': encodeBase64Url(crypto.getRandomValues(new Uint8Array(32))),
      ...(keyId === null ? {} : { 'x-sealdesk-key': keyId }),
    },
  });
  const bytes = parseBase64(json.encrypted?.protected ?? '!');
  const header = bytes === null ? null : parseProtectedHeader(bytes);
  const error = json.errors?.[0];
  return {
    recipient: header?.recipient_key_id ?? null,
    code: error?.extensions?.code ?? null,
    message: error?.message ?? '',
    subject: error?.extensions?.subject ?? null,
    json,
  };
}
