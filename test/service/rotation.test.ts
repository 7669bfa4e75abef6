/** The rotation of client keys, in both modes, with everything wrong that can be. */
import { expect, it } from 'vitest';
import { OVERLAP_MS, PENDING_LIFETIME_MS } from '../../src/access/index.ts';
import { createId } from '../../src/base/index.ts';
import { createKeyFile, fingerprint, importKeys, type WelcomedKeyFile } from '../../src/client/index.ts';
import {
  askRotation,
  confirmTestKey,
  createSuccessor,
  MAP,
  mapTestKey,
  REVOKE,
  rotateTestKey,
  type SuccessorWish,
} from '../support/rotation.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { createTestApiKey, openTestClientKey, suite } from '../support/tenant.ts';
import { codeOf, type House, newestEvents, useHouse } from './house.ts';
import { askSealed } from './sealed-question.ts';

const KEY = `query($id: ID!) { node(id: $id) { ... on ClientKey {
  status lineageId predecessorId rotationMode vouchedBy overlapUntil endedAt endReason isUnused } } }`;

const fingerprintOf = (file: WelcomedKeyFile): string => {
  const { kem, sig } = importKeys(suite, file);
  return fingerprint(suite, { kem: kem.kid, sig: sig.kid });
};

describeOnBothDatabases('a client key that is rotated', (database) => {
  const house = useHouse(database);

  /** A key in use, and an agent whose API key is bound to it. */
  async function openHolder({ gateway, tenant }: House = house()) {
    const keyFile = await openTestClientKey(gateway, tenant.keys.admin, tenant.keys.admin);
    const apiKey = await createTestApiKey(gateway, tenant.keys.admin, {
      ...{ roles: ['AGENT'], clientKeyId: keyFile.key_id },
    });
    return { keyFile, apiKey };
  }
  const rotate = (apiKey: string, old: WelcomedKeyFile, wish: SuccessorWish = {}) =>
    rotateTestKey(house().gateway, apiKey, old, { now: house().clock.now(), ...wish });
  const ask = async (apiKey: string, old: WelcomedKeyFile, wish: SuccessorWish = {}) => {
    const { input } = await createSuccessor(old, { now: house().clock.now(), ...wish });
    return askRotation(house().gateway, apiKey, input);
  };
  const asAdmin = () => ({ apiKey: house().tenant.keys.admin });
  const map = (file: WelcomedKeyFile) => mapTestKey(house().gateway, house().tenant.keys.admin, file);
  const revoke = (id: string, reason = 'UNSPECIFIED') =>
    house().gateway.graphql(REVOKE, { ...asAdmin(), variables: { id, reason } });
  const keyOf = async (id: string) =>
    (await house().gateway.graphql(KEY, { ...asAdmin(), variables: { id } })).json.data.node;

  it('by STRICT stops at once, says exactly what to hand to whom, and works again when its successor is mapped', async () => {
    const { keyFile, apiKey } = await openHolder();
    const { gateway } = house();
    const { next, input } = await createSuccessor(keyFile, { mode: 'STRICT', now: house().clock.now() });
    const asked = await askRotation(gateway, apiKey, input);
    const { clientKey, welcome } = asked.json.data.rotateClientKey;
    expect(clientKey).toEqual({
      ...{ id: clientKey.id, status: 'PENDING', lineageId: keyFile.key_id, predecessorId: keyFile.key_id },
      ...{ rotationMode: 'STRICT', vouchedBy: 'PREDECESSOR' },
    });
    expect(await keyOf(keyFile.key_id)).toMatchObject({
      ...{ status: 'RETIRED', endReason: 'SUPERSEDED', overlapUntil: null },
    });
    for (const named of [null, keyFile.key_id]) {
      const refused = await askSealed(gateway, apiKey, named);
      expect(refused).toMatchObject({ code: 'CLIENT_KEY_NOT_MAPPED', subject: clientKey.id });
      expect(refused.message).toMatch(/holder of .* must confirm it/);
    }

    const successor = await confirmTestKey(gateway, next, welcome);
    for (const named of [null, keyFile.key_id, successor.key_id]) {
      const { code, message } = await askSealed(gateway, apiKey, named);
      expect(code).toBe('CLIENT_KEY_NOT_MAPPED');
      expect(message).toContain(keyFile.key_id);
      expect(message).toContain(
        `Hand to an ADMIN of the tenant or an OPERATOR: key id ${successor.key_id}, fingerprint ${fingerprintOf(successor)}.`,
      );
      expect(message).toContain(`mapClientKey(keyId: "${successor.key_id}")`);
      expect(message.length).toBeLessThan(500);
    }

    await map(successor);
    expect(await askSealed(gateway, apiKey, null)).toMatchObject({ code: null, recipient: successor.key_id });
    const old = await askSealed(gateway, apiKey, keyFile.key_id);
    expect(old).toMatchObject({ code: 'CLIENT_KEY_NOT_MAPPED', subject: successor.key_id });
    expect(old.message).toContain('is ACTIVE: use that key');
  });

  it('by OVERLAP works until its successor is mapped, and is served for a day more where it is named', async () => {
    const { keyFile, apiKey } = await openHolder();
    const { gateway, clock } = house();
    const successor = await rotate(apiKey, keyFile);
    for (const named of [null, keyFile.key_id]) {
      expect(await askSealed(gateway, apiKey, named)).toMatchObject({ recipient: keyFile.key_id });
    }
    expect(await askSealed(gateway, apiKey, successor.key_id)).toMatchObject({
      code: 'CLIENT_KEY_NOT_MAPPED',
    });

    const mappedAt = clock.now();
    await map(successor);
    const retired = await keyOf(keyFile.key_id);
    expect(retired).toMatchObject({ status: 'RETIRED', endReason: 'SUPERSEDED' });
    expect(Date.parse(retired.overlapUntil) - mappedAt).toBeGreaterThanOrEqual(OVERLAP_MS);
    expect(await askSealed(gateway, apiKey, keyFile.key_id)).toMatchObject({ recipient: keyFile.key_id });
    expect(await askSealed(gateway, apiKey, null)).toMatchObject({ recipient: successor.key_id });
    expect(await askSealed(gateway, apiKey, successor.key_id)).toMatchObject({ recipient: successor.key_id });

    clock.advance(OVERLAP_MS + 60_000);
    expect(await keyOf(keyFile.key_id)).toMatchObject({ status: 'RETIRED', overlapUntil: null });
    const over = await askSealed(gateway, apiKey, keyFile.key_id);
    expect(over).toMatchObject({ code: 'CLIENT_KEY_NOT_MAPPED', subject: successor.key_id });
    expect(await askSealed(gateway, apiKey, null)).toMatchObject({ recipient: successor.key_id });
  });

  it('again and again stays one lineage, which its API keys follow', async () => {
    const { keyFile, apiKey } = await openHolder();
    let current = keyFile;
    for (const mode of ['OVERLAP', 'STRICT', 'OVERLAP'] as const) {
      const next = await rotate(apiKey, current, { mode });
      await map(next);
      expect(await keyOf(next.key_id)).toMatchObject({
        ...{ status: 'ACTIVE', lineageId: keyFile.key_id, predecessorId: current.key_id, rotationMode: mode },
      });
      expect(await askSealed(house().gateway, apiKey, null)).toMatchObject({ recipient: next.key_id });
      current = next;
    }
    // STRICT stopped what overlapped, too.
    expect(await askSealed(house().gateway, apiKey, keyFile.key_id)).toMatchObject({
      code: 'CLIENT_KEY_NOT_MAPPED',
    });
  });

  it('changes nothing by OVERLAP while its successor is not confirmed, nor when that is forgotten after a day', async () => {
    const { keyFile, apiKey } = await openHolder();
    const { gateway, clock } = house();
    const asked = await ask(apiKey, keyFile);
    const { id } = asked.json.data.rotateClientKey.clientKey;
    expect(await askSealed(gateway, apiKey, null)).toMatchObject({ recipient: keyFile.key_id });
    clock.advance(PENDING_LIFETIME_MS);
    expect(await askSealed(gateway, apiKey, null)).toMatchObject({ recipient: keyFile.key_id });
    const successor = await rotate(apiKey, keyFile);
    expect(codeOf(await gateway.graphql(KEY, { ...asAdmin(), variables: { id } }))).toBe('NOT_FOUND');
    await map(successor);
    expect(await askSealed(gateway, apiKey, null)).toMatchObject({ recipient: successor.key_id });
  });

  it('has one successor on its way at most, which revoking it cancels', async () => {
    const { keyFile, apiKey } = await openHolder();
    const successor = await rotate(apiKey, keyFile);
    const second = await ask(apiKey, keyFile);
    expect([second.status, codeOf(second)]).toEqual([409, 'CONFLICT']);
    expect(second.json.errors[0].extensions.subject).toBe(successor.key_id);
    expect(codeOf(await revoke(successor.key_id))).toBeNull();
    expect(await askSealed(house().gateway, apiKey, null)).toMatchObject({ recipient: keyFile.key_id });
    const cancelled = await house().gateway.graphql(MAP, {
      ...asAdmin(),
      variables: { id: successor.key_id },
    });
    expect(codeOf(cancelled)).toBe('KEY_REVOKED');
    await map(await rotate(apiKey, keyFile));
  });

  it('has one successor however many ask at the same time', async () => {
    const { keyFile, apiKey } = await openHolder();
    const codes = (await Promise.all(Array.from({ length: 6 }, () => ask(apiKey, keyFile)))).map(codeOf);
    expect(codes.filter((code) => code === null)).toHaveLength(1);
    expect(codes.filter((code) => code === 'CONFLICT')).toHaveLength(5);
  });

  it('is not stranded by STRICT where the successor is cancelled: the key itself can ask for another', async () => {
    const { keyFile, apiKey } = await openHolder();
    const lost = await rotate(apiKey, keyFile, { mode: 'STRICT' });
    await revoke(lost.key_id);
    const refused = await askSealed(house().gateway, apiKey, null);
    expect(refused).toMatchObject({ code: 'CLIENT_KEY_NOT_MAPPED', subject: keyFile.key_id });
    expect(refused.message).toContain('sealdesk keys rotate FILE');
    const successor = await rotate(apiKey, keyFile, { mode: 'STRICT' });
    await map(successor);
    expect(await askSealed(house().gateway, apiKey, null)).toMatchObject({ recipient: successor.key_id });
  });

  it('answers its welcome again to the same successor while that is PENDING, and to no other', async () => {
    const { keyFile, apiKey } = await openHolder();
    const { gateway, clock } = house();
    const { next, input } = await createSuccessor(keyFile, { now: clock.now() });
    const first = (await askRotation(gateway, apiKey, input)).json.data.rotateClientKey;
    const again = (await ask(apiKey, keyFile, { next })).json.data.rotateClientKey;
    expect(again.clientKey).toEqual(first.clientKey);
    expect(again.welcome).not.toEqual(first.welcome);
    expect(codeOf(await ask(apiKey, keyFile, { next, mode: 'STRICT' }))).toBe('CONFLICT');
    const successor = await confirmTestKey(gateway, next, again.welcome);
    expect(codeOf(await ask(apiKey, keyFile, { next }))).toBe('CONFLICT');
    // A proof that was overheard is of no use once the successor was cancelled.
    await revoke(successor.key_id);
    expect(codeOf(await askRotation(gateway, apiKey, input))).toBe('CONFLICT');
  });

  it('needs the proof of its own holder for the very key, mode and time', async () => {
    const { keyFile, apiKey } = await openHolder();
    const { keyFile: stranger } = await openHolder();
    const { tenant, other } = house();
    const wishes: Readonly<Record<string, SuccessorWish>> = {
      'by another key': { signedBy: stranger },
      'by the new key': { signedBy: createKeyFile(suite) },
      'of another tenant': { claim: { tenant_id: other.id } },
      'for another old key': { claim: { old_key_id: stranger.key_id } },
      'for another mode': { claim: { mode: 'STRICT' } },
      'for another ML-KEM key': { claim: { kem_kid: importKeys(suite, stranger).kem.kid } },
      'for another ML-DSA key': { claim: { sig_kid: importKeys(suite, stranger).sig.kid } },
      'for another time': { claim: { issued_at: Math.floor(house().clock.now() / 1000) - 1 } },
    };
    for (const [what, wish] of Object.entries(wishes)) {
      const answer = await ask(apiKey, keyFile, wish);
      expect([answer.status, codeOf(answer)], what).toEqual([400, 'VALIDATION_FAILED']);
      expect(answer.json.errors[0].extensions.fields[0].path, what).toBe('rotationProof');
      // Nor does the ADMIN's role make a wrong proof good.
      expect(
        codeOf(
          await ask(tenant.keys.admin, keyFile, { mode: 'STRICT', ...wish, claim: { mode: 'OVERLAP' } }),
        ),
      ).toBe('VALIDATION_FAILED');
    }
    const now = house().clock.now();
    for (const minutes of [-11, 11]) {
      const answer = await ask(apiKey, keyFile, { now: now + minutes * 60_000 });
      expect(answer.json.errors[0].extensions.fields[0].path).toBe('issuedAt');
    }
    expect(await askSealed(house().gateway, apiKey, null)).toMatchObject({ recipient: keyFile.key_id });
  });

  it('can be replaced by an ADMIN without its proof, by STRICT only, for a holder who lost it', async () => {
    const { keyFile, apiKey } = await openHolder();
    const { tenant } = house();
    const overlap = await ask(tenant.keys.admin, keyFile, { signedBy: null });
    expect(codeOf(overlap)).toBe('VALIDATION_FAILED');
    for (const other of [apiKey, tenant.keys.dashboard, tenant.keys.auditor]) {
      expect(codeOf(await ask(other, keyFile, { signedBy: null, mode: 'STRICT' }))).toBe('FORBIDDEN');
    }
    expect(await askSealed(house().gateway, apiKey, null)).toMatchObject({ recipient: keyFile.key_id });
    const successor = await rotate(tenant.keys.admin, keyFile, { signedBy: null, mode: 'STRICT' });
    expect(await keyOf(successor.key_id)).toMatchObject({ vouchedBy: 'ADMIN', rotationMode: 'STRICT' });
    expect(await askSealed(house().gateway, apiKey, null)).toMatchObject({ code: 'CLIENT_KEY_NOT_MAPPED' });
    await map(successor);
    expect(await askSealed(house().gateway, apiKey, null)).toMatchObject({ recipient: successor.key_id });
  });

  it('is rotated only where it was mapped, is the last of its line, and of the caller’s tenant', async () => {
    const { gateway, tenant, other } = house();
    const unmapped = await openTestClientKey(gateway, tenant.keys.admin, null);
    expect(codeOf(await ask(tenant.keys.agent, unmapped))).toBe('CONFLICT');
    const { keyFile, apiKey } = await openHolder();
    const successor = await rotate(apiKey, keyFile);
    await map(successor);
    const replaced = await ask(apiKey, keyFile);
    expect(codeOf(replaced)).toBe('CONFLICT');
    expect(replaced.json.errors[0].extensions.subject).toBe(successor.key_id);
    for (const foreign of [other.keys.admin, other.keys.agent]) {
      // The registration is for its own tenant, so the attempt gets as far as the key.
      const { input } = await createSuccessor(
        { ...keyFile, tenant_id: other.id },
        { now: house().clock.now() },
      );
      expect(codeOf(await askRotation(gateway, foreign, input))).toBe('NOT_FOUND');
    }
    const unknown = await ask(apiKey, { ...keyFile, key_id: createId('clientKey') });
    expect(codeOf(unknown)).toBe('NOT_FOUND');
    expect(
      codeOf(await gateway.graphql(MAP, { apiKey: gateway.operatorKey, variables: { id: unmapped.key_id } })),
    ).toBeNull();
  });

  it('leaves an event of each step that names both keys and what was sealed', async () => {
    const { keyFile, apiKey } = await openHolder();
    const { gateway, tenant } = house();
    const successor = await rotate(apiKey, keyFile);
    await map(successor);
    const events = (await newestEvents(gateway, tenant.keys.auditor, 20)).filter(
      ({ resource }) => resource === successor.key_id,
    );
    expect(events.map(({ action, outcome }) => [action, outcome])).toEqual([
      ['client-key.rotate', 'SUCCEEDED'],
      ['client-key.confirm', 'SUCCEEDED'],
      ['client-key.map', 'SUCCEEDED'],
    ]);
    const { kem, sig } = importKeys(suite, successor);
    for (const event of [events[0], events[2]]) {
      expect(event?.clientKey).toEqual({
        ...{ kemKid: kem.kid, sigKid: sig.kid, predecessorId: keyFile.key_id, mode: 'OVERLAP' },
        ...{ vouchedBy: 'PREDECESSOR', expiresAt: null, endReason: null },
      });
    }
  });
});

describeOnBothDatabases('a client key that is compromised', (database) => {
  const house = useHouse(database);

  it('is cut off at once, with the successor that it alone vouched for', async () => {
    const { gateway, tenant, clock } = house();
    for (const mode of ['STRICT', 'OVERLAP'] as const) {
      const keyFile = await openTestClientKey(gateway, tenant.keys.admin, tenant.keys.admin);
      const apiKey = await createTestApiKey(gateway, tenant.keys.admin, {
        ...{ roles: ['AGENT'], clientKeyId: keyFile.key_id },
      });
      const thief = await rotateTestKey(gateway, apiKey, keyFile, { mode, now: clock.now() });
      const variables = { id: keyFile.key_id, reason: 'KEY_COMPROMISE' };
      expect(codeOf(await gateway.graphql(REVOKE, { apiKey: tenant.keys.admin, variables }))).toBeNull();
      for (const named of [null, keyFile.key_id, thief.key_id]) {
        expect(await askSealed(gateway, apiKey, named)).toMatchObject({ code: 'KEY_REVOKED' });
      }
      const mapped = await gateway.graphql(MAP, {
        ...{ apiKey: tenant.keys.admin, variables: { id: thief.key_id } },
      });
      expect(codeOf(mapped)).toBe('KEY_REVOKED');
      const ended = (await newestEvents(gateway, tenant.keys.auditor, 12)).filter(
        ({ action }) => action === 'client-key.revoke',
      );
      expect(ended.map(({ resource, clientKey }) => [resource, clientKey?.['endReason']]).slice(-2)).toEqual([
        [keyFile.key_id, 'KEY_COMPROMISE'],
        [thief.key_id, 'KEY_COMPROMISE'],
      ]);
      // It vouches for nothing any more; an ADMIN can hand in a key for whoever it was taken from.
      const again = await createSuccessor(keyFile, { now: clock.now() });
      expect(codeOf(await askRotation(gateway, apiKey, again.input))).toBe('KEY_REVOKED');
      const rescued = await rotateTestKey(gateway, tenant.keys.admin, keyFile, {
        ...{ mode: 'STRICT', signedBy: null, now: clock.now() },
      });
      await mapTestKey(gateway, tenant.keys.admin, rescued);
      expect(await askSealed(gateway, apiKey, null)).toMatchObject({ recipient: rescued.key_id });
    }
  });

  it('takes that successor with it for whatever reason it is revoked, CONFIRMED or not', async () => {
    const { gateway, tenant, clock } = house();
    const { admin, auditor } = tenant.keys;
    for (const reason of ['UNSPECIFIED', 'KEY_LOST', 'CESSATION_OF_OPERATION']) {
      const keyFile = await openTestClientKey(gateway, admin, admin);
      const thief = await rotateTestKey(gateway, admin, keyFile, { now: clock.now() });
      const variables = { id: keyFile.key_id, reason };
      expect(codeOf(await gateway.graphql(REVOKE, { apiKey: admin, variables }))).toBeNull();
      const mapped = await gateway.graphql(MAP, { apiKey: admin, variables: { id: thief.key_id } });
      expect(codeOf(mapped)).toBe('KEY_REVOKED');
      const shown = await gateway.graphql(KEY, { apiKey: admin, variables: { id: thief.key_id } });
      expect(shown.json.data.node).toMatchObject({ status: 'REVOKED', endReason: reason });
      const ended = (await newestEvents(gateway, auditor, 12)).find(
        ({ resource, action }) => resource === thief.key_id && action === 'client-key.revoke',
      );
      expect(ended?.clientKey?.['endReason']).toBe(reason);
    }
  });

  it('leaves alone the successor that an ADMIN asked for, and is cut off while it overlaps', async () => {
    const { gateway, tenant, clock } = house();
    const keyFile = await openTestClientKey(gateway, tenant.keys.admin, tenant.keys.admin);
    const successor = await rotateTestKey(gateway, tenant.keys.admin, keyFile, {
      ...{ mode: 'STRICT', signedBy: null, now: clock.now() },
    });
    const revoke = (id: string) =>
      gateway.graphql(REVOKE, {
        ...{ apiKey: tenant.keys.admin, variables: { id, reason: 'KEY_COMPROMISE' } },
      });
    expect(codeOf(await revoke(keyFile.key_id))).toBeNull();
    await mapTestKey(gateway, tenant.keys.admin, successor);
    const third = await rotateTestKey(gateway, tenant.keys.admin, successor, { now: clock.now() });
    await mapTestKey(gateway, tenant.keys.admin, third);
    const named = successor.key_id;
    expect(await askSealed(gateway, tenant.keys.admin, named)).toMatchObject({ recipient: named });
    expect(codeOf(await revoke(named))).toBeNull();
    expect(await askSealed(gateway, tenant.keys.admin, named)).toMatchObject({ code: 'KEY_REVOKED' });
    expect(await askSealed(gateway, tenant.keys.admin, third.key_id)).toMatchObject({
      recipient: third.key_id,
    });
  });
});
