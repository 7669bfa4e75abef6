/** Use cases around client keys: registration with its proof and welcome, confirmation, revocation, lists. */
import { z } from 'zod';
import {
  type Caller,
  CLIENT_KEY_END_REASONS,
  type ClientKey,
  type ClientKeyCounts,
  type ClientKeyLogin,
  confirmClientKey as confirmClientKeyRow,
  countClientKeys,
  explainRefusal,
  findClientKey,
  findTenantOfClientKey,
  insertClientKey,
  isReceiving,
  listClientKeys as listClientKeyRows,
  type RecordedKeyAct,
  ROLES,
  type Role,
  revokeClientKey as revokeClientKeyRow,
  revokeVouched,
} from '../access/index.ts';
import type { NewAuditEvent } from '../audit/index.ts';
import { createId, parseBase64, SealdeskError } from '../base/index.ts';
import {
  type ClientPublicKeys,
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
import { endKeyInFeeds } from './feed/client-key-feeds.ts';
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

/** A proof by ML-DSA-65. */
export const proofField = base64Field.refine(
  (bytes) => bytes.length === ML_DSA_65.signature,
  `must be ${ML_DSA_65.signature} bytes`,
);
export const RegisterInput = z.object({
  jwks: z.record(z.string(), z.unknown()),
  issuedAt: z.int(),
  proof: proofField,
  name: nameField.nullish(),
});
const ConfirmInput = z.object({
  keyId: idField('clientKey'),
  mac: base64Field.refine((bytes) => bytes.length === HMAC_SHA_512.tag, `must be ${HMAC_SHA_512.tag} bytes`),
});
export const KeyInput = z.object({ keyId: idField('clientKey') });
const RevokeInput = z.object({
  keyId: idField('clientKey'),
  reason: z.enum(CLIENT_KEY_END_REASONS),
});
const MAX_END_DAYS = 3_650;
const DAY_MS = 86_400_000;
const ListInput = z.object({
  status: z.enum(['PENDING', 'CONFIRMED', 'ACTIVE', 'RETIRED', 'REVOKED']).nullish(),
  endsWithinDays: z.int().min(1, 'must be at least 1').max(MAX_END_DAYS).nullish(),
  unusedSince: z.date().nullish(),
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
  const { clock } = deps;
  const id = createId('clientKey', clock.now());
  const act = { action: 'client-key.register', roles: ROLES, resource: id };
  return audited(deps, call, act, async (step, { caller }) => {
    assertApiKey(caller);
    const { tenantId } = step;
    const parsed = parseInput(RegisterInput, input);
    const { kem, sig } = await verifyNewKey(deps, tenantId, parsed);
    const { name } = parsed;
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
          registeredBy: caller.id,
          now: clock.now(),
        }),
      () => ({ envelopes: [{ keyId: id, sha256: sealed.transcriptSha256 }] }),
    );
    return { clientKey: toClientKeyView(deps.keyring.suite, clientKey), welcome: sealed.envelope };
  });
}

/** A client key speaks for itself only, so none makes another known, its successor neither. Throws FORBIDDEN. */
export function assertApiKey({ kind }: Caller): void {
  if (kind === 'API_KEY') return;
  throw new SealdeskError(
    'FORBIDDEN',
    'Registering a client key, or its successor, needs an API key of its tenant.',
  );
}

/** The public halves that are to be registered. Rejects with VALIDATION_FAILED where they or the proof are not good. */
export async function verifyNewKey(
  { keyring: { suite }, clock }: ServiceDeps,
  tenantId: string,
  { jwks, issuedAt, proof }: z.infer<typeof RegisterInput>,
): Promise<ClientPublicKeys> {
  const keys = parsePublicJwkSet(suite, jwks);
  const { kem, sig } = keys;
  assertFresh(issuedAt, clock.now());
  const claim = { tenant_id: tenantId, kem_kid: kem.kid, sig_kid: sig.kid, issued_at: issuedAt };
  if (await verifyRegistration(suite.importVerifyingKey(sig.publicKey), claim, proof)) return keys;
  throw invalidInput([
    { path: 'proof', message: 'is not a registration proof by this ML-DSA-65 key for this tenant' },
  ]);
}

function assertFresh(issuedAt: number, now: number): void {
  if (Math.abs(issuedAt - now / 1000) <= REGISTRATION_WINDOW_SECONDS) return;
  throw invalidInput([{ path: 'issuedAt', message: 'must be within 10 minutes of the gateway’s clock' }]);
}

/** The welcome to a key that is registered with the step. */
export async function sealWelcome(
  { keyring, clock, publicUrl, store }: ServiceDeps,
  call: Call,
  { tenantId, eventId }: AuditedStep,
  key: { readonly id: string; readonly kem: PublicKeyMaterial; readonly sigKid: string },
): Promise<SealedEnvelope> {
  const { suite } = keyring;
  const keys = await keyring.keysOf(tenantId, { signal: call.signal });
  const now = clock.now();
  const issuedAt = Math.floor(now / 1000);
  const signingKeys = await store.withTenant(tenantId, (tx) => listSigningKeys(tx, tenantId, now));
  const macKey = keys.macKeyOf(key.id);
  try {
    return await sealEnvelope(suite, {
      claims: {
        purpose: 'key.welcome',
        tenant_id: tenantId,
        recipient_key_id: key.id,
        audit_event_id: eventId,
        issued_at: issuedAt,
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
      signingKey: keys.signingKeyAt(issuedAt).handle,
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
  const key = await store.withTenant(tenantId, (tx) => findClientKey(tx, tenantId, keyId, clock.now()));
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
  if (key.status === 'CONFIRMED' || isReceiving(key)) {
    return { clientKey: toClientKeyView(deps.keyring.suite, key) };
  }
  if (key.status !== 'PENDING') {
    throw await store.withTenant(tenantId, (tx) => explainRefusal(tx, key, clock.now()));
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

/**
 * Ends a client key at once, for change feeds too, with the successor on its way that it alone vouched for: whoever
 * had the key may have asked for that, whatever the reason given. For ADMIN, and OPERATOR in any tenant.
 */
export function revokeClientKey(deps: ServiceDeps, call: Call, input: unknown): Promise<ClientKeyChange> {
  return changeByManager(
    deps,
    call,
    'client-key.revoke',
    RevokeInput,
    input,
    async (step, act, _call, { reason }) => {
      const { key } = await step.commit(
        async (tx) => {
          const ended = await endKeyInFeeds(tx, act, () => revokeClientKeyRow(tx, { ...act, reason }));
          return { key: ended, vouched: await revokeVouched(tx, { ...act, reason }) };
        },
        (done) => ({
          resource: act.clientKeyId,
          clientKey: { ...loggedKey(done.key), endReason: reason },
          ...(done.vouched === null ? {} : { alongside: [endedAlongside(done.vouched, reason)] }),
        }),
      );
      return key;
    },
  );
}

function endedAlongside(key: ClientKey, endReason: string) {
  return {
    action: 'client-key.revoke',
    resource: key.id,
    clientKey: { ...loggedKey(key), endReason },
  };
}

/** What the log fixes of a key that is mapped, rotated or ended. */
export function loggedKey(key: ClientKey): NonNullable<NewAuditEvent['clientKey']> {
  const { kemKid, sigKid, succession, expiresAt, login } = key;
  return {
    kemKid,
    sigKid,
    ...(succession ?? {}),
    ...(expiresAt === null ? {} : { expiresAt: expiresAt.toISOString() }),
    ...(login === null ? {} : { login: loggedLogin(login) }),
  };
}

function loggedLogin({ roles, allowedOperations }: ClientKeyLogin) {
  return {
    roles: [...roles],
    ...(allowedOperations === null ? {} : { allowedOperations: [...allowedOperations] }),
  };
}

/** A change of one key by who manages keys. `schema` must take `keyId`. For ADMIN, and OPERATOR in any tenant. */
export async function changeByManager<Input extends { readonly keyId: string }>(
  deps: ServiceDeps,
  call: Call,
  action: string,
  schema: z.ZodType<Input>,
  input: unknown,
  change: (
    step: AuditedStep,
    act: RecordedKeyAct,
    call: AuthenticatedCall,
    input: Input,
  ) => Promise<ClientKey>,
): Promise<ClientKeyChange> {
  const tenantId = await tenantOfKey(deps, call, input);
  return audited(
    deps,
    call,
    { action, roles: MAPPERS, ...(tenantId === null ? {} : { tenantId }) },
    async (step, managing) => {
      const parsed = parseInput(schema, input);
      const { tenantId: ofKey, eventId } = step;
      const act = {
        tenantId: ofKey,
        clientKeyId: parsed.keyId,
        now: deps.clock.now(),
        by: managing.caller.id,
        eventId,
      };
      const clientKey = await change(step, act, managing, parsed);
      return { clientKey: toClientKeyView(deps.keyring.suite, clientKey) };
    },
  );
}

/** An OPERATOR acts in the key's own tenant; everybody else in theirs, where a foreign key is not found. */
async function tenantOfKey({ store }: ServiceDeps, { caller }: Call, input: unknown): Promise<string | null> {
  if (caller?.roles.includes('OPERATOR') !== true) return null;
  const { data } = KeyInput.safeParse(input);
  return data === undefined
    ? null
    : store.withSystem('client-key-lookup', (tx) => findTenantOfClientKey(tx, data.keyId));
}

export function getClientKey(deps: ServiceDeps, call: Call, id: string): Promise<ClientKeyView> {
  return readOwn(deps, call, ROLES, async (tx, tenantId, { caller }) => {
    const key = await findClientKey(tx, tenantId, id, deps.clock.now());
    const isOwn = key !== null && key.lineageId === caller.boundKey?.lineageId;
    if (key === null || !(isOwn || caller.roles.includes('ADMIN'))) throw notFound('client key');
    return toClientKeyView(deps.keyring.suite, key);
  });
}

/** How many client keys all tenants have together, for who watches over the installation. */
export function countAllClientKeys({
  store,
  clock,
}: Pick<ServiceDeps, 'store' | 'clock'>): Promise<ClientKeyCounts> {
  return store.withSystem('client-key-count', (tx) => countClientKeys(tx, clock.now()));
}

/** The client keys of the tenant, those that `filterInput` asks for. For ADMIN. */
export function listClientKeys(
  deps: ServiceDeps,
  call: Call,
  filterInput: unknown,
  pageInput: PageInput,
): Promise<Connection<ClientKeyView>> {
  return readOwn(deps, call, ['ADMIN'], async (tx, tenantId) => {
    const { status, endsWithinDays, unusedSince } = parseInput(ListInput, filterInput);
    const page = parsePage(pageInput);
    const now = deps.clock.now();
    const endsBefore = endsWithinDays == null ? null : new Date(now + endsWithinDays * DAY_MS);
    const rows = await listClientKeyRows(tx, tenantId, page, now, { status, endsBefore, unusedSince });
    return toConnection(
      rows,
      page,
      (key) => key.id,
      (key) => toClientKeyView(deps.keyring.suite, key),
    );
  });
}
