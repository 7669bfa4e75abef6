import { createId } from '../../src/base/index.ts';
import {
  type AwaitableSuite,
  type EnvelopeClaims,
  type ExpectedHeader,
  type HybridCryptoEnvelope,
  openEnvelope,
  type SealedEnvelope,
  type SigningKeyInfo,
  type Suite,
  sealEnvelope,
} from '../../src/envelope/index.ts';
import { createNobleSuite } from '../../src/envelope/noble.ts';
import { createNodeSuite } from '../../src/envelope/node.ts';
import { createWebCryptoSuite } from '../../src/envelope/webcrypto.ts';

/** Those that answer at once. */
export const syncSuites: readonly [Suite, Suite] = [createNodeSuite(), createNobleSuite()];

export const suites: readonly AwaitableSuite[] = [...syncSuites, createWebCryptoSuite()];

/** Every ordered pair of suites. */
export const suitePairs: readonly (readonly [string, string, AwaitableSuite, AwaitableSuite])[] =
  suites.flatMap((first) => suites.map((second) => [first.name, second.name, first, second] as const));

export interface Party {
  readonly claims: EnvelopeClaims;
  readonly expected: ExpectedHeader;
  readonly pins: readonly SigningKeyInfo[];
  seal(
    suite: AwaitableSuite,
    plaintext: Uint8Array,
    claims?: Partial<EnvelopeClaims>,
  ): Promise<SealedEnvelope>;
  open(
    suite: AwaitableSuite,
    envelope: unknown,
    expected?: Partial<ExpectedHeader>,
  ): Promise<{ readonly plaintext: Uint8Array; readonly transcriptSha256: string }>;
}

/** One recipient and one gateway with random keys, usable under each suite. */
export async function createParty(): Promise<Party> {
  const [node] = syncSuites;
  const seeds = { kem: node.randomBytes(64), sig: node.randomBytes(32), mac: node.randomBytes(64) };
  const imported = new Map(
    await Promise.all(
      suites.map(async (suite) => {
        const recipient = await suite.importKemPrivateKey(seeds.kem);
        const keys = {
          recipient,
          recipientPublic: await suite.importKemPublicKey(recipient.publicKey),
          signingKey: await suite.importSigningKey(seeds.sig),
          macKey: await suite.importMacKey(seeds.mac),
        };
        return [suite, keys] as const;
      }),
    ),
  );
  const keysOf = (suite: AwaitableSuite) => {
    const keys = imported.get(suite);
    if (keys === undefined) throw new TypeError('"suite" must be one of "suites"');
    return keys;
  };
  const { kid, publicKey } = keysOf(node).signingKey;
  const pins = [{ kid, publicKey, status: 'ACTIVE', notBefore: null, notAfter: null } as const];
  const ids = { tenant_id: createId('tenant'), recipient_key_id: createId('clientKey') };
  const claims: EnvelopeClaims = {
    ...ids,
    purpose: 'proxy.result',
    audit_event_id: createId('auditEvent'),
    issued_at: 1_765_000_000,
    content_type: 'application/json',
  };
  return {
    claims,
    expected: ids,
    pins,
    seal(suite, plaintext, more = {}) {
      const { recipientPublic, signingKey, macKey } = keysOf(suite);
      return sealEnvelope(suite, {
        claims: { ...claims, ...more },
        plaintext,
        recipient: recipientPublic,
        signingKey,
        macKey,
      });
    },
    open(suite, envelope, expected = {}) {
      const { recipient, macKey } = keysOf(suite);
      return openEnvelope(suite, envelope, {
        recipient,
        macKey,
        trustedSigningKeys: pins,
        expected: { ...ids, ...expected },
      });
    },
  };
}

/** The six binary members of an envelope. */
export const BINARY_MEMBERS = [
  ['encrypted', 'ciphertext_kem'],
  ['encrypted', 'ciphertext_data'],
  ['encrypted', 'nonce'],
  ['encrypted', 'protected'],
  ['signature', 'pqc_signature'],
  ['signature', 'hmac_signature'],
] as const;

/** `envelope` with the text of one binary member changed by `change`. */
export function changeMember(
  envelope: HybridCryptoEnvelope,
  [section, member]: (typeof BINARY_MEMBERS)[number],
  change: (text: string) => string,
): unknown {
  const members = new Map<string, unknown>(Object.entries(envelope[section]));
  return {
    ...envelope,
    [section]: Object.fromEntries([...members, [member, change(String(members.get(member)))]]),
  };
}
