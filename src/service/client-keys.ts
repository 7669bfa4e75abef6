/** Use cases around client keys: registration with its proof and welcome, confirmation, mapping, revocation. */
import { z } from 'zod';
import {
  CLIENT_KEY_END_REASONS,
  type ClientKey,
  type ClientKeyAct,
  confirmClientKey as confirmClientKeyRow,
  findClientKey,
  findTenantOfClientKey,
  insertClientKey,
  listClientKeys as listClientKeyRows,
  mapClientKey as mapClientKeyRow,
  ROLES,
  type Role,
  revokeClientKey as revokeClientKeyRow,
} from '../access/index.ts';
import { createId, parseBase64, SealdeskError } from '../base/index.ts';
import {
  encodeWelcome,
  HMAC_SHA_512,
  type HybridCryptoEnvelope,
  ML_DSA_65,
  type PublicKeyMaterial,
  parsePublicJwkSet,
  REGISTRATION_WINDOW_SECONDS,
  type SealedEnvelope,
  sealEnvelope,
  verifyConfirmation,
  verifyRegistration,
} from '../envelope/index.ts';
import type { AuthenticatedCall, Call } from '../proxy/index.ts';
import { type AuditedStep, audited, auditedAs, notFound } from './audited.ts';
import { endKeyInFeeds, mapKeyInFeeds } from './feed/client-key-feeds.ts';
import { idField, invalidInput, nameField, parseInput } from './input.ts';
import { type Connection, type PageInput, parsePage, toConnection } from './page.ts';
import { readOwn } from './read.ts';
import type { ServiceDeps } from './service-deps.ts';
import { listSigningKeys } from './signing-keys.ts';
import { type ClientKeyView, toClientKeyView } from './views.ts';

const MAPPERS: readonly Role[] = ['ADMIN', 'OPERATOR'];
const base64Field = z
  .string()
  .max(8_192)
  .transform((text, context) => {
    const bytes = parseBase64(text);
    if (bytes === null) context.addIssue({ code: 'custom', message: 'must be padded standard base64' });
    return bytes ?? z.NEVER;
  });

const RegisterInput = z.object({
  jwks: z.record(z.string(), z.unknown()),
  issuedAt: z.int(),
  proof: base64Field.refine(
    (bytes) => bytes.length === ML_DSA_65.signature,
    `must be ${ML_DSA_65.signature} bytes`,
  ),
  name: nameField.nullish(),
});
const ConfirmInput = z.object({
  keyId: idField('clientKey'),
  mac: base64Field.refine((bytes) => bytes.length === HMAC_SHA_512.tag, `must be ${HMAC_SHA_512.tag} bytes`),
});
const MapInput = z.object({ keyId: idField('clientKey') });
const RevokeInput = z.object({
  keyId: idField('clientKey'),
  reason: z.enum(CLIENT_KEY_END_REASONS),
});

export interface ClientKeyChange {
  readonly clientKey: ClientKeyView;
}

/** Registers a client key as PENDING and answers its welcome. For any API key of the tenant. */
export async function registerClientKey(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<ClientKeyChange & { readonly welcome: HybridCryptoEnvelope }> {
  const { keyring, clock } = deps;
  const { suite } = keyring;
  const id = createId('clientKey', clock.now());
  const act = { action: 'client-key.register', roles: ROLES, resource: id };
  return audited(deps, call, act, async (step, { caller }) => {
    const { tenantId } = step;
    const { jwks, issuedAt, proof, name } = parseInput(RegisterInput, input);
    const { kem, sig } = parsePublicJwkSet(suite, jwks);
    assertFresh(issuedAt, clock.now());
    const claim = { tenant_id: tenantId, kem_kid: kem.kid, sig_kid: sig.kid, issued_at: issuedAt };
    if (!(await verifyRegistration(suite.importVerifyingKey(sig.publicKey), claim, proof))) {
      throw invalidInput([
        { path: 'proof', message: 'is not a registration proof by this ML-DSA-65 key for this tenant' },
      ]);
    }
    const sealed = await sealWelcome(deps, call, step, { id, kem, sigKid: sig.kid });
    const clientKey = await step.commit(
      (tx) =>
        insertClientKey(tx, {
          id,
          tenantId,
          name,
          kemKid: kem.kid,
          sigKid: sig.kid,
          kemPublicKey: kem.publicKey,
          sigPublicKey: sig.publicKey,
          registeredBy: caller.apiKeyId,
          now: clock.now(),
        }),
      () => ({ envelopes: [{ keyId: id, sha256: sealed.transcriptSha256 }] }),
    );
    return { clientKey: toClientKeyView(deps.keyring.suite, clientKey), welcome: sealed.envelope };
  });
}

function assertFresh(issuedAt: number, now: number): void {
  if (Math.abs(issuedAt - now / 1000) <= REGISTRATION_WINDOW_SECONDS) return;
  throw invalidInput([{ path: 'issuedAt', message: 'must be within 10 minutes of the gateway’s clock' }]);
}

async function sealWelcome(
  { keyring, clock, publicUrl, store }: ServiceDeps,
  call: Call,
  { tenantId, eventId }: AuditedStep,
  key: { readonly id: string; readonly kem: PublicKeyMaterial; readonly sigKid: string },
): Promise<SealedEnvelope> {
  const { suite } = keyring;
  const keys = await keyring.keysOf(tenantId, { signal: call.signal });
  const signingKeys = await store.withTenant(tenantId, (tx) => listSigningKeys(tx, tenantId));
  const macKey = keys.macKeyOf(key.id);
  try {
    return await sealEnvelope(suite, {
      claims: {
        purpose: 'key.welcome',
        tenant_id: tenantId,
        recipient_key_id: key.id,
        audit_event_id: eventId,
        issued_at: Math.floor(clock.now() / 1000),
        content_type: 'application/json',
      },
      plaintext: encodeWelcome({
        keyId: key.id,
        tenantId,
        gatewayUrl: publicUrl,
        macKey,
        kemKid: key.kem.kid,
        sigKid: key.sigKid,
        signingKeys,
      }),
      recipient: suite.importKemPublicKey(key.kem.publicKey),
      signingKey: keys.signingKey.handle,
      macKey: suite.importMacKey(macKey),
    });
  } finally {
    macKey.fill(0);
  }
}

/**
 * Proves the ML-KEM half of a PENDING key. Needs no API key: who could open the welcome knows the MAC key.
 * Only who proves that writes to the log of the key's tenant; what strangers try is counted as their refusal.
 */
export async function confirmClientKey(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<ClientKeyChange> {
  const { store, keyring, clock } = deps;
  const { keyId, mac } = parseInput(ConfirmInput, input);
  const tenantId = await store.withSystem('client-key-lookup', (tx) => findTenantOfClientKey(tx, keyId));
  if (tenantId === null) throw notFound('client key');
  const key = await store.withTenant(tenantId, (tx) => findClientKey(tx, tenantId, keyId));
  if (key === null) throw notFound('client key');
  const keys = await keyring.keysOf(tenantId, { signal: call.signal });
  const macBytes = keys.macKeyOf(keyId);
  const macKey = keyring.suite.importMacKey(macBytes);
  macBytes.fill(0);
  const claim = { tenant_id: tenantId, key_id: keyId, kem_kid: key.kemKid, sig_kid: key.sigKid };
  if (!(await verifyConfirmation(macKey, claim, mac))) {
    throw invalidInput([{ path: 'mac', message: 'is not the confirmation of this key' }]);
  }
  // Repeating a confirmation changes nothing and leaves no entry, so that it cannot fill the log.
  if (key.status !== 'PENDING') {
    if (key.status === 'CONFIRMED' || key.status === 'ACTIVE')
      return { clientKey: toClientKeyView(deps.keyring.suite, key) };
    throw new SealdeskError('KEY_REVOKED', 'The client key has ended. Generate, register and map a new one.');
  }
  const act = { action: 'client-key.confirm', tenantId, resource: keyId };
  // A key that another tenant's caller names is confirmed as by nobody: the log of its tenant names no stranger.
  const actor = call.caller?.tenantId === tenantId ? call : { ...call, caller: null, parentEventId: null };
  return auditedAs(deps, actor, act, async (step) => {
    const confirmed = await step.commit((tx) =>
      confirmClientKeyRow(tx, { tenantId, clientKeyId: keyId, now: clock.now() }),
    );
    return { clientKey: toClientKeyView(deps.keyring.suite, confirmed) };
  });
}

/** Makes a CONFIRMED key ACTIVE. For ADMIN, and OPERATOR in any tenant. */
export function mapClientKey(deps: ServiceDeps, call: Call, input: unknown): Promise<ClientKeyChange> {
  return changeByManager(deps, call, 'client-key.map', MapInput, input, async (step, act, { caller }) => {
    const keys = await deps.keyring.keysOf(act.tenantId, { signal: call.signal });
    const mapping = { keys, sealer: deps.feed.sealer, auditEventId: step.eventId, now: act.now };
    const { key } = await step.commit(
      (tx) => mapKeyInFeeds(tx, mapping, () => mapClientKeyRow(tx, { ...act, mappedBy: caller.apiKeyId })),
      ({ envelopes }) => ({
        resource: act.clientKeyId,
        ...(envelopes.length === 0 ? {} : { envelopes }),
      }),
    );
    return key;
  });
}

/** Ends a client key at once, for change feeds too. For ADMIN, and OPERATOR in any tenant. */
export function revokeClientKey(deps: ServiceDeps, call: Call, input: unknown): Promise<ClientKeyChange> {
  return changeByManager(
    deps,
    call,
    'client-key.revoke',
    RevokeInput,
    input,
    (step, act, _call, { reason }) =>
      step.commit(
        (tx) => endKeyInFeeds(tx, act.tenantId, () => revokeClientKeyRow(tx, { ...act, reason })),
        () => ({ resource: act.clientKeyId }),
      ),
  );
}

async function changeByManager<Input extends { readonly keyId: string }>(
  deps: ServiceDeps,
  call: Call,
  action: string,
  schema: z.ZodType<Input>,
  input: unknown,
  change: (step: AuditedStep, act: ClientKeyAct, call: AuthenticatedCall, input: Input) => Promise<ClientKey>,
): Promise<ClientKeyChange> {
  const tenantId = await tenantOfKey(deps, call, input);
  return audited(
    deps,
    call,
    { action, roles: MAPPERS, ...(tenantId === null ? {} : { tenantId }) },
    async (step, caller) => {
      const parsed = parseInput(schema, input);
      const act = { tenantId: step.tenantId, clientKeyId: parsed.keyId, now: deps.clock.now() };
      const clientKey = await change(step, act, caller, parsed);
      return { clientKey: toClientKeyView(deps.keyring.suite, clientKey) };
    },
  );
}

/** An OPERATOR acts in the key's own tenant; everybody else in theirs, where a foreign key is not found. */
async function tenantOfKey({ store }: ServiceDeps, { caller }: Call, input: unknown): Promise<string | null> {
  if (caller?.roles.includes('OPERATOR') !== true) return null;
  const { data } = MapInput.safeParse(input);
  return data === undefined
    ? null
    : store.withSystem('client-key-lookup', (tx) => findTenantOfClientKey(tx, data.keyId));
}

export function getClientKey(deps: ServiceDeps, call: Call, id: string): Promise<ClientKeyView> {
  return readOwn(deps, call, ROLES, async (tx, tenantId, { caller }) => {
    const key =
      caller.roles.includes('ADMIN') || caller.clientKeyId === id
        ? await findClientKey(tx, tenantId, id)
        : null;
    if (key === null) throw notFound('client key');
    return toClientKeyView(deps.keyring.suite, key);
  });
}

export function listClientKeys(
  deps: ServiceDeps,
  call: Call,
  input: PageInput,
): Promise<Connection<ClientKeyView>> {
  return readOwn(deps, call, ['ADMIN'], async (tx, tenantId) => {
    const page = parsePage(input);
    const rows = await listClientKeyRows(tx, tenantId, page);
    return toConnection(
      rows,
      page,
      (key) => key.id,
      (key) => toClientKeyView(deps.keyring.suite, key),
    );
  });
}
