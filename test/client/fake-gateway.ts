/** A gateway behind `fetch`, no port: registers one client key as the real one does. */
import { createId, encodeUtf8, parseBase64 } from '../../src/base/index.ts';
import {
  type EnvelopeClaims,
  encodeWelcome,
  type HybridCryptoEnvelope,
  type KemPublicKey,
  parsePublicJwkSet,
  type SigningKey,
  type Suite,
  sealEnvelope,
  verifyConfirmation,
  verifyRegistration,
} from '../../src/envelope/index.ts';

export const NOW = 1_765_000_000_000;
export const API_KEY = 'sd_live_test';
const GATEWAY_URL = 'https://sealdesk.example';

interface Call {
  readonly url: string;
  readonly apiKey: string | null;
  readonly redirect: string;
  readonly query: string;
}

export interface FakeGateway {
  readonly fetch: typeof fetch;
  readonly calls: Call[];
  readonly tenantId: string;
  readonly keyId: string;
  readonly signingKid: string;
  readonly signingKey: SigningKey;
  readonly macKey: Uint8Array;
  /** Seals a welcome to a public JWK Set, as an operator hands it over. */
  welcome(jwks: unknown, keyId?: string): Promise<HybridCryptoEnvelope>;
  /** Seals to the key that was registered or welcomed last; by another signing key where one is given. */
  seal(
    plaintext: string | Uint8Array,
    claims?: Partial<EnvelopeClaims>,
    signer?: SigningKey,
  ): Promise<HybridCryptoEnvelope>;
}

export function createFakeGateway(
  suite: Suite,
  answerWith?: (query: string) => Response | undefined,
): FakeGateway {
  const tenantId = createId('tenant');
  const keyId = createId('clientKey');
  const signingKey = suite.importSigningKey(suite.randomBytes(32));
  const macKeyBytes = suite.randomBytes(64);
  const macKey = suite.importMacKey(macKeyBytes);
  const calls: Call[] = [];
  let recipient: KemPublicKey | undefined;
  let kids = { kem: '', sig: '' };

  const sealTo = async (more: Partial<EnvelopeClaims>, plaintext: Uint8Array, signer = signingKey) => {
    if (recipient === undefined) throw new TypeError('no key is registered');
    const claims: EnvelopeClaims = {
      purpose: 'proxy.result',
      tenant_id: tenantId,
      recipient_key_id: keyId,
      audit_event_id: createId('auditEvent'),
      issued_at: NOW / 1000,
      content_type: 'application/json',
      ...more,
    };
    const input = { claims, plaintext, recipient, signingKey: signer, macKey };
    return (await sealEnvelope(suite, input)).envelope;
  };

  const welcome = async (jwks: unknown, id = keyId): Promise<HybridCryptoEnvelope> => {
    const { kem, sig } = parsePublicJwkSet(suite, jwks);
    recipient = suite.importKemPublicKey(kem.publicKey);
    kids = { kem: kem.kid, sig: sig.kid };
    const { kid, publicKey } = signingKey;
    const plaintext = encodeWelcome({
      keyId: id,
      tenantId,
      gatewayUrl: GATEWAY_URL,
      macKey: macKeyBytes,
      kemKid: kem.kid,
      sigKid: sig.kid,
      signingKeys: [{ kid, publicKey, status: 'ACTIVE', notBefore: null, notAfter: null }],
    });
    return sealTo({ purpose: 'key.welcome', recipient_key_id: id }, plaintext);
  };

  const answer = async (query: string, input: Readonly<Record<string, unknown>>): Promise<unknown> => {
    if (query.includes('viewer')) return { viewer: { tenant: { id: tenantId } } };
    if (query.includes('registerClientKey')) {
      const { kem, sig } = parsePublicJwkSet(suite, input['jwks']);
      const claim = {
        tenant_id: tenantId,
        kem_kid: kem.kid,
        sig_kid: sig.kid,
        issued_at: Number(input['issuedAt']),
      };
      const proof = parseBase64(String(input['proof'])) ?? new Uint8Array(0);
      const proven = await verifyRegistration(suite.importVerifyingKey(sig.publicKey), claim, proof);
      if (!proven) throw new Error('the registration is not proven');
      return {
        registerClientKey: {
          clientKey: { id: keyId, status: 'PENDING' },
          welcome: await welcome(input['jwks']),
        },
      };
    }
    const mac = parseBase64(String(input['mac'])) ?? new Uint8Array(0);
    const claim = {
      tenant_id: tenantId,
      key_id: String(input['keyId']),
      kem_kid: kids.kem,
      sig_kid: kids.sig,
    };
    if (!(await verifyConfirmation(macKey, claim, mac))) throw new Error('the confirmation is not proven');
    return { confirmClientKey: { clientKey: { id: keyId, status: 'CONFIRMED' } } };
  };

  return {
    calls,
    tenantId,
    keyId,
    signingKid: signingKey.kid,
    signingKey,
    macKey: macKeyBytes,
    welcome,
    seal: (plaintext, claims = {}, signer) =>
      sealTo(claims, typeof plaintext === 'string' ? encodeUtf8(plaintext) : plaintext, signer),
    async fetch(url, init) {
      const { query, variables } = JSON.parse(String(init?.body));
      const apiKey = new Headers(init?.headers).get('x-api-key');
      calls.push({ url: String(url), apiKey, redirect: String(init?.redirect), query });
      return answerWith?.(query) ?? Response.json({ data: await answer(query, variables.input ?? {}) });
    },
  };
}
