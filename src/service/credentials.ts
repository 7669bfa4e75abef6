/** Use cases around Zendesk credentials: sealed in, rotated, deleted, and answered only as an envelope. */
import { z } from 'zod';
import { assertStillEntitled, chooseRecipient, type Role } from '../access/index.ts';
import { createId, encodeUtf8, SealdeskError } from '../base/index.ts';
import type { HybridCryptoEnvelope } from '../envelope/index.ts';
import { type Call, clearReconnect, sealAnswer } from '../proxy/index.ts';
import {
  type CredentialKey,
  deleteCredential as deleteCredentialRow,
  expiryOfSecret,
  insertCredential,
  listCredentials as listCredentialRows,
  openCredentialSecret,
  parseCredentialSecret,
  readCredential,
  readCredentialSecret,
  replaceCredentialSecret,
  sealCredentialSecret,
} from '../vault/index.ts';
import { audited, notFound } from './audited.ts';
import { futureField, idField, nameField, parseInput } from './input.ts';
import { type Connection, type PageInput, parsePage, toConnection } from './page.ts';
import { readOwn } from './read.ts';
import type { ServiceDeps } from './service-deps.ts';
import { type CredentialView, toCredentialView } from './views.ts';

const ADMIN: readonly Role[] = ['ADMIN'];

const secretField = z.unknown();
const sealInput = (now: number) =>
  z.strictObject({
    type: z.string(),
    secret: secretField,
    name: nameField.nullish(),
    expiresAt: futureField(now).nullish(),
  });
const rotateInput = (now: number) =>
  z.strictObject({
    id: idField('credential'),
    secret: secretField,
    expectedVersion: z.int().min(1).nullish(),
    expiresAt: futureField(now).nullish(),
  });
const CredentialInput = z.strictObject({ id: idField('credential') });

export interface CredentialChange {
  readonly credential: CredentialView;
  readonly auditEventId: string;
}

/** Seals a credential into the vault. For ADMIN. */
export async function sealCredential(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<CredentialChange> {
  const now = deps.clock.now();
  const credentialId = createId('credential', now);
  const act = { action: 'credential.seal', roles: ADMIN, resource: credentialId };
  return audited(deps, call, act, async (step) => {
    const { type, secret: untrusted, name = null, expiresAt } = parseInput(sealInput(now), input);
    const secret = parseCredentialSecret(type, untrusted, 'secret');
    const sealed = await sealCredentialSecret({
      keyring: deps.keyring,
      tenantId: step.tenantId,
      credentialId,
      version: 1,
      secret,
      signal: call.signal,
    });
    const credential = await step.commit((tx) =>
      insertCredential(tx, {
        sealed,
        name,
        expiresAt: expiresAt ?? expiryOfSecret(secret),
        now: new Date(now),
      }),
    );
    return { credential: toCredentialView(credential), auditEventId: step.eventId };
  });
}

/** Puts another secret in place of the present one: same id, next version. For ADMIN. */
export async function rotateCredential(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<CredentialChange> {
  const now = deps.clock.now();
  return audited(deps, call, { action: 'credential.rotate', roles: ADMIN }, async (step) => {
    const { id, secret: untrusted, expectedVersion, expiresAt } = parseInput(rotateInput(now), input);
    const key = { tenantId: step.tenantId, credentialId: id };
    const current = await readPresent(deps, key);
    const secret = parseCredentialSecret(current.type, untrusted, 'secret');
    const version = expectedVersion ?? current.version;
    const sealed = await sealCredentialSecret({
      keyring: deps.keyring,
      ...key,
      version: version + 1,
      secret,
      signal: call.signal,
    });
    const credential = await step.commit(
      async (tx) => {
        const replaced = await replaceCredentialSecret(tx, {
          sealed,
          expectedVersion: version,
          expiresAt: expiresAt ?? expiryOfSecret(secret),
          now: new Date(now),
        });
        await clearReconnect(tx, key);
        return replaced;
      },
      () => ({ resource: id }),
    );
    return { credential: toCredentialView(credential), auditEventId: step.eventId };
  });
}

/** Deletes a credential that no integration uses. For ADMIN. */
export async function deleteCredential(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<{ readonly deletedId: string }> {
  return audited(deps, call, { action: 'credential.delete', roles: ADMIN }, async (step) => {
    const { id } = parseInput(CredentialInput, input);
    await step.commit(
      (tx) => deleteCredentialRow(tx, { tenantId: step.tenantId, credentialId: id }),
      () => ({ resource: id }),
    );
    return { deletedId: id };
  });
}

/** The credential, sealed to the caller's client key. For ADMIN. */
export async function unsealCredential(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<{ readonly envelope: HybridCryptoEnvelope; readonly auditEventId: string }> {
  const { store, keyring, clock } = deps;
  return audited(deps, call, { action: 'credential.unseal', roles: ADMIN }, async (step, { caller }) => {
    const { id } = parseInput(CredentialInput, input);
    const { tenantId, eventId } = step;
    const key = { tenantId, credentialId: id };
    const { stored, recipient } = await store.withTenant(tenantId, async (tx) => ({
      stored: await readCredentialSecret(tx, key),
      recipient: await chooseRecipient(tx, caller, call.recipientKeyId, clock.now()),
    }));
    if (recipient.restriction !== null) {
      throw new SealdeskError(
        'OPERATION_NOT_ALLOWED',
        'The client key is restricted to one organization or requester: no credential is sealed to it.',
      );
    }
    if (stored === null) throw notFound('credential');
    const secret = await openCredentialSecret({ keyring, sealed: stored, signal: call.signal });
    const keys = await keyring.keysOf(tenantId, { signal: call.signal });
    const { envelope, transcriptSha256 } = await sealAnswer(keyring.suite, keys, call, {
      purpose: 'credential',
      recipient,
      auditEventId: eventId,
      plaintext: encodeUtf8(JSON.stringify({ credential_id: id, version: stored.version, ...secret })),
      now: clock.now(),
    });
    await step.commit(
      (tx) => assertStillEntitled(tx, caller, recipient, clock.now()),
      () => ({ resource: id, envelopes: [{ keyId: recipient.keyId, sha256: transcriptSha256 }] }),
    );
    return { envelope, auditEventId: eventId };
  });
}

export function getCredential(deps: ServiceDeps, call: Call, id: string): Promise<CredentialView> {
  return readOwn(deps, call, ADMIN, async (tx, tenantId) => {
    const credential = await readCredential(tx, { tenantId, credentialId: id });
    if (credential === null) throw notFound('credential');
    return toCredentialView(credential);
  });
}

export function listCredentials(
  deps: ServiceDeps,
  call: Call,
  input: PageInput,
): Promise<Connection<CredentialView>> {
  return readOwn(deps, call, ADMIN, async (tx, tenantId) => {
    const page = parsePage(input);
    const rows = await listCredentialRows(tx, tenantId, page);
    return toConnection(rows, page, (credential) => credential.id, toCredentialView);
  });
}

async function readPresent({ store }: ServiceDeps, key: CredentialKey) {
  const credential = await store.withTenant(key.tenantId, (tx) => readCredential(tx, key));
  if (credential === null) throw notFound('credential');
  return credential;
}
