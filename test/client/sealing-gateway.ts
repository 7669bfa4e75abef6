/** A gateway behind `fetch` that answers sealed, as the real one does, and that can be made to lie. */
import { createHash } from 'node:crypto';
import { encodeBase64Url, encodeUtf8 } from '../../src/base/index.ts';
import { generateClientKey, registerClientKey, type WelcomedClientKey } from '../../src/client/index.ts';
import {
  type EnvelopeClaims,
  encodeSigningKeyJwk,
  type HybridCryptoEnvelope,
  type SigningKey,
  type SigningKeyDocument,
  signTransition,
} from '../../src/envelope/index.ts';
import { createNodeSuite } from '../../src/envelope/node.ts';
import { API_KEY, createFakeGateway, type FakeGateway } from './fake-gateway.ts';

export const URL_OF_GATEWAY = 'https://sealdesk.example';
export const SEALED_TYPE = 'application/vnd.sealdesk.envelope+json';

const suite = createNodeSuite();

/** A request as the gateway got it. */
export interface Received {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
  readonly redirect: string;
  /** What an honest answer says of it. */
  readonly claims: Partial<EnvelopeClaims>;
}

export interface SealingGateway {
  readonly fake: FakeGateway;
  readonly clientKey: WelcomedClientKey;
  readonly received: Received[];
  /** How often the document of signing keys was read. */
  documentsRead: number;
  /** The document that is published. */
  document: SigningKeyDocument | (() => Promise<Response>);
  /** Signs from now on. */
  signer: SigningKey;
  /** In place of an honest answer. */
  answer: ((received: Received) => Promise<Response>) | null;
  /** Seals to the client key an answer to `received`, by what signs now. */
  seal(
    received: Received,
    plaintext: string,
    claims?: Partial<EnvelopeClaims>,
  ): Promise<HybridCryptoEnvelope>;
  fetch: typeof fetch;
}

export const PLAINTEXT = '{"data":{"ticket":{"subject":"Größe"}}}';

/** The gateway's own path in `url`, below an optional `/base`. */
const pathOf = (url: string): string => new URL(url).pathname.replace(/^\/base\//, '/');

export function describeSigner(key: SigningKey, rest: Partial<SigningKeyDocument['keys'][number]> = {}) {
  const info = { kid: key.kid, publicKey: key.publicKey, status: 'ACTIVE', notBefore: null, notAfter: null };
  return { ...encodeSigningKeyJwk({ ...info, status: 'ACTIVE' }), ...rest };
}

/** A document in which each signer vouches for the next. */
export async function documentOf(
  tenantId: string,
  ...signers: readonly SigningKey[]
): Promise<SigningKeyDocument> {
  const steps = signers.slice(1).map((to, index) => {
    const from = signers[index] as SigningKey;
    return signTransition(from, { tenantId, toKid: to.kid, notBefore: 1 });
  });
  return { keys: signers.map((key) => describeSigner(key)), transitions: await Promise.all(steps) };
}

export const createSigner = (): SigningKey => suite.importSigningKey(suite.randomBytes(32));

export async function createSealingGateway(): Promise<SealingGateway> {
  const fake = createFakeGateway(suite);
  const { clientKey } = await registerClientKey(await generateClientKey(), {
    url: URL_OF_GATEWAY,
    fetch: fake.fetch,
    apiKey: API_KEY,
    keep: () => {},
  });
  const gateway: SealingGateway = {
    fake,
    clientKey,
    received: [],
    documentsRead: 0,
    document: await documentOf(fake.tenantId, fake.signingKey),
    signer: fake.signingKey,
    answer: null,
    seal: (received, plaintext, claims = {}) =>
      fake.seal(plaintext, { ...received.claims, ...claims }, gateway.signer),
    async fetch(input, init) {
      const request = new Request(input, init);
      if (request.method === 'GET') {
        gateway.documentsRead += 1;
        const { document } = gateway;
        return typeof document === 'function' ? document() : Response.json(document);
      }
      const body = new Uint8Array(await request.arrayBuffer());
      const nonce = request.headers.get('x-sealdesk-nonce');
      const received: Received = {
        url: request.url,
        method: request.method,
        headers: request.headers,
        body,
        redirect: request.redirect,
        claims: {
          purpose: pathOf(request.url) === '/graphql' ? 'graphql.result' : 'proxy.result',
          request_target: `${request.method} ${pathOf(request.url)}`,
          request_sha256: encodeBase64Url(createHash('sha256').update(body).digest()),
          ...(nonce === null ? {} : { client_nonce: nonce }),
        },
      };
      gateway.received.push(received);
      if (gateway.answer !== null) return gateway.answer(received);
      return sealed(await gateway.seal(received, PLAINTEXT));
    },
  };
  return gateway;
}

/** The Response that carries `value` as an envelope. */
export function sealed(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(encodeUtf8(typeof value === 'string' ? value : JSON.stringify(value)), {
    status,
    headers: { 'content-type': SEALED_TYPE, ...headers },
  });
}
