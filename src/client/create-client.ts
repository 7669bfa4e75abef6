/** One gateway and one client key: requests whose answers come sealed, and envelopes handed over. */
import { type JsonObject, parseUtf8 } from '../base/index.ts';
import type { ProtectedHeader } from '../envelope/index.ts';
import type { VerifiedReceipt } from './audit-receipt.ts';
import type { WelcomedClientKey } from './client-key.ts';
import { keepClientParts } from './client-parts.ts';
import { documentText, type TypedDocument } from './document-text.ts';
import { GATEWAY_LIMITS, GatewayAnswerError, gatewayAddress } from './gateway-transport.ts';
import { createKeyLogin } from './key-login.ts';
import { KeyOpener } from './key-opener.ts';
import type { Expectation } from './pinned-opener.ts';
import { createSealedFetch, SEALED_HEADERS, type SealedFetchOptions } from './sealed-fetch.ts';
import { verifyLogged } from './verify-logged.ts';

export interface ClientOptions extends SealedFetchOptions {
  /** Address of the gateway. */
  readonly url: string;
  /** A key that the gateway welcomed. */
  readonly clientKey: WelcomedClientKey;
}

/** An error as GraphQL reports it; `extensions.code` is one of `docs/errors.md`. */
export interface GraphqlRequestError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** The result of one operation. With errors, data may be there in part or not at all. */
export interface RequestResult<Result> {
  readonly data: Result | null;
  readonly errors?: readonly GraphqlRequestError[];
  readonly extensions?: Readonly<Record<string, unknown>>;
  /** `aud_…`: this answer's entry in the audit log; `null` for a failure that was answered in the clear. */
  readonly auditEventId: string | null;
}

export interface DecryptedEnvelope {
  readonly header: ProtectedHeader;
  /** The plaintext as JSON. */
  readonly data: unknown;
  /** SHA-256 of the transcript, base64url: the receipt to hold against the audit log. */
  readonly transcriptSha256: string;
}

export interface RequestOptions {
  readonly operationName?: string;
  readonly signal?: AbortSignal;
}

export interface SealdeskClient {
  /** The key that answers are sealed to now: the client key, or its successor. */
  readonly keyId: string;
  readonly tenantId: string;
  /** A drop-in for `fetch`; see `sealedFetch`. */
  readonly fetch: typeof fetch;
  /**
   * One GraphQL operation: typed where `document` is (`TypedDocumentNode`, `TypedDocumentString`). Failures
   * of the operation are in the result; rejects with what `sealedFetch` rejects with.
   */
  request<Result = unknown, Variables extends object = JsonObject>(
    document: string | TypedDocument<Result, Variables>,
    variables?: NoInfer<Variables>,
    options?: RequestOptions,
  ): Promise<RequestResult<Result>>;
  readonly encryption: {
    /**
     * Opens an envelope that came another way, such as in a field of type HybridCryptoEnvelope. Throws
     * EnvelopeOpenError for whatever is not accepted, GatewayAnswerError where the plaintext is no JSON.
     * Without an expected `client_nonce` or `sequence` nothing says that it is not an old one.
     */
    decrypt(envelope: unknown, expected?: Expectation): Promise<DecryptedEnvelope>;
  };
  /**
   * Proves that the audit log recorded this very envelope: opens it, asks the gateway for its receipt and verifies
   * that. The keys of the log are believed at the first time and pinned then (`onPins`). Throws EnvelopeOpenError,
   * ReceiptError where the receipt does not prove it or other keys signed than the pinned ones, SealdeskError as
   * the gateway refuses it, and what `request` rejects with.
   */
  verifyReceipt(envelope: unknown): Promise<VerifiedReceipt>;
}

function parsePlaintext(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(parseUtf8(bytes) ?? '');
  } catch {
    throw new GatewayAnswerError('The envelope was opened, and holds no JSON.');
  }
}

/** A client over `options.clientKey`. Throws TypeError for a key that no gateway has welcomed. */
export function createClient(options: ClientOptions): SealdeskClient {
  const { clientKey, url } = options;
  const opener = new KeyOpener(clientKey, options);
  const login = createKeyLogin(opener, options);
  const fetch = createSealedFetch(opener, options, login);
  const endpoint = gatewayAddress(url, 'graphql');
  const client: SealdeskClient = Object.freeze<SealdeskClient>({
    get keyId() {
      return opener.key.keyId;
    },
    tenantId: clientKey.tenantId,
    fetch,
    async request(document, variables, { operationName, signal } = {}) {
      const timeout = AbortSignal.timeout(GATEWAY_LIMITS.timeoutMilliseconds);
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: documentText(document), variables, operationName }),
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      });
      const auditEventId = response.headers.get(SEALED_HEADERS.auditEventId);
      return { data: null, ...(await response.json()), auditEventId };
    },
    encryption: Object.freeze({
      async decrypt(envelope: unknown, expected?: Expectation) {
        const { header, plaintext, transcriptSha256 } = await opener.open(envelope, expected);
        return { header, data: parsePlaintext(plaintext), transcriptSha256 };
      },
    }),
    verifyReceipt: (envelope) =>
      verifyLogged(opener, (document, variables) => client.request(document, variables), envelope),
  });
  keepClientParts(client, { opener, login, options });
  return client;
}
