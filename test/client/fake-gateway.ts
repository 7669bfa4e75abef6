/** A gateway behind `fetch`, no port: registers one client key as the real one does. */
import { createId, encodeUtf8, parseBase64 } from '../../src/base/index.ts';
import {
  encodeWelcome,
  type HybridCryptoEnvelope,
  type KemPublicKey,
  parsePublicJwkSet,
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
  readonly macKey: Uint8Array;
  /** Seals a welcome to a public JWK Set, as an operator hands it over. */
  welcome(jwks: unknown, keyId?: string): Promise<HybridCryptoEnvelope>;
  /** Seals to the key that was registered or welcomed last. */
  seal(plaintext: string): Promise<HybridCryptoEnvelope>;
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

  const sealTo = async (purpose: 'key.welcome' | 'proxy.result', id: string, plaintext: Uint8Array) => {
    if (recipient === undefined) throw new TypeError('no key is registered');
    const claims = {
      purpose,
      tenant_id: tenantId,
      recipient_key_id: id,
      audit_event_id: createId('auditEvent'),
      issued_at: NOW / 1000,
      content_type: 'application/json',
    };
    return (await sealEnvelope(suite, { claims, plaintext, recipient, signingKey, macKey })).envelope;
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
    return sealTo('key.welcome', id, plaintext);
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
    macKey: macKeyBytes,
    welcome,
    seal: (plaintext) => sealTo('proxy.result', keyId, encodeUtf8(plaintext)),
    async fetch(url, init) {
      const { query, variables } = JSON.parse(String(init?.body));
      const apiKey = new Headers(init?.headers).get('x-api-key');
      calls.push({ url: String(url), apiKey, redirect: String(init?.redirect), query });
      return answerWith?.(query) ?? Response.json({ data: await answer(query, variables.input ?? {}) });
    },
  };
}
