/**
 * The rotation of a client key: its successor is registered in its lineage. That it becomes ACTIVE is, as for every
 * key, the act of an ADMIN or OPERATOR who compares its fingerprint; nothing here takes their place.
 *
 * Who may ask: whoever has an API key of the tenant and proves to hold the old key. The login alone, which many have, would let
 * any of them stop another's key; the proof alone would open to strangers what costs signatures and registrations. An
 * ADMIN may ask without the proof, for the holder whose key is lost, and then by STRICT only: nobody is to be
 * replaced behind the back of a key that still works.
 */
import { z } from 'zod';
import {
  assertRole,
  type ClientKey,
  findClientKey,
  findWaitingSuccessor,
  ROLES,
  type Rotation,
  startRotation,
} from '../access/index.ts';
import { createId } from '../base/index.ts';
import { type HybridCryptoEnvelope, ROTATION_MODES, verifyRotation } from '../envelope/index.ts';
import type { AuthenticatedCall, Call } from '../proxy/index.ts';
import { audited, notFound } from './audited.ts';
import {
  assertApiKey,
  type ClientKeyChange,
  loggedKey,
  proofField,
  RegisterInput,
  sealWelcome,
  verifyNewKey,
} from './client-keys.ts';
import { endKeyInFeeds } from './feed/client-key-feeds.ts';
import { idField, invalidInput, parseInput } from './input.ts';
import type { ServiceDeps } from './service-deps.ts';
import { toClientKeyView } from './views.ts';

const RotateInput = RegisterInput.extend({
  keyId: idField('clientKey'),
  mode: z.enum(ROTATION_MODES),
  rotationProof: proofField.nullish(),
});
type RotateInput = z.infer<typeof RotateInput>;

/**
 * Registers the successor of a client key as PENDING and answers its welcome; STRICT stops the key at once. Asked
 * again for a successor that is still PENDING, it answers another welcome to it.
 */
export async function rotateClientKey(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<ClientKeyChange & { readonly welcome: HybridCryptoEnvelope }> {
  const { store, clock, keyring } = deps;
  return audited(deps, call, { action: 'client-key.rotate', roles: ROLES }, async (step, asking) => {
    assertApiKey(asking.caller);
    const { tenantId, eventId } = step;
    const parsed = parseInput(RotateInput, input);
    const { keyId: clientKeyId, mode, name } = parsed;
    const { kem, sig } = await verifyNewKey(deps, tenantId, parsed);
    const kids = { kemKid: kem.kid, sigKid: sig.kid };
    const { old, waitingId } = await store.withTenant(tenantId, async (tx) => ({
      old: await findClientKey(tx, tenantId, clientKeyId, clock.now()),
      waitingId: await findWaitingSuccessor(tx, tenantId, clientKeyId, kids, clock.now()),
    }));
    if (old === null) throw notFound('client key');
    const vouchedBy = await judgeVoucher(deps, asking, { old, parsed, kids });
    const id = waitingId ?? createId('clientKey', clock.now());
    const sealed = await sealWelcome(deps, call, step, { id, kem, sigKid: sig.kid });
    const rotation: Rotation = {
      mode,
      vouchedBy,
      successor: {
        ...{ id, name, ...kids },
        kemPublicKey: kem.publicKey,
        sigPublicKey: sig.publicKey,
        registeredBy: asking.caller.id,
      },
    };
    const clientKey = await step.commit(
      (tx) => {
        const act = { tenantId, clientKeyId, now: clock.now(), by: asking.caller.id, eventId };
        return endKeyInFeeds(tx, act, () => startRotation(tx, act, rotation));
      },
      (successor) => ({
        resource: id,
        clientKey: loggedKey(successor),
        envelopes: [{ keyId: id, sha256: sealed.transcriptSha256 }],
      }),
    );
    return { clientKey: toClientKeyView(keyring.suite, clientKey), welcome: sealed.envelope };
  });
}

interface Asked {
  readonly old: ClientKey;
  readonly parsed: RotateInput;
  readonly kids: { readonly kemKid: string; readonly sigKid: string };
}

async function judgeVoucher(
  { keyring: { suite } }: ServiceDeps,
  { caller }: AuthenticatedCall,
  { old, parsed, kids }: Asked,
): Promise<Rotation['vouchedBy']> {
  const { mode, issuedAt, rotationProof } = parsed;
  if (rotationProof == null) {
    if (mode === 'OVERLAP') {
      throw invalidInput([
        {
          path: 'rotationProof',
          message: 'is needed by OVERLAP: only the holder of the old key can ask for it',
        },
      ]);
    }
    assertRole(caller, 'ADMIN');
    return 'ADMIN';
  }
  const claim = {
    tenant_id: old.tenantId,
    old_key_id: old.id,
    mode,
    kem_kid: kids.kemKid,
    sig_kid: kids.sigKid,
    issued_at: issuedAt,
  };
  if (await verifyRotation(suite.importVerifyingKey(old.sigPublicKey), claim, rotationProof)) {
    return 'PREDECESSOR';
  }
  throw invalidInput([
    { path: 'rotationProof', message: 'is not a rotation proof by the old key for this new key and mode' },
  ]);
}
