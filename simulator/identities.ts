/** `/users/{id}/identities`: the addresses of a user. */
import { bodyObject, type Call, idParam } from './call.ts';
import { pageByOffset } from './pagination.ts';
import { isoTime } from './people-view.ts';
import type { IdentityRow, UserRow } from './records.ts';
import { empty, json, type Reply, recordNotFound } from './reply.ts';
import { assertMayWrite } from './user-rights.ts';
import { Validation } from './validation.ts';

const view = (call: Call, user: UserRow, row: IdentityRow): object => ({
  id: row.id,
  url: `${call.origin}/api/v2/users/${user.id}/identities/${row.id}.json`,
  user_id: user.id,
  type: 'email',
  value: row.value,
  verified: row.verified,
  primary: row.value === user.email,
  created_at: isoTime(row.createdAt),
  updated_at: isoTime(row.createdAt),
  deliverable_state: 'deliverable',
});

const ofUser = (call: Call): UserRow => {
  const user = call.world.store.user(idParam(call));
  if (!user?.active) throw recordNotFound();
  return user;
};

const ofCall = (call: Call, user: UserRow): IdentityRow => {
  const row = call.world.store.people.identities(user).find(({ id }) => id === idParam(call, 1));
  if (!row) throw recordNotFound();
  return row;
};

export const listIdentities = (call: Call): Reply => {
  const user = ofUser(call);
  const page = pageByOffset(call, call.world.store.people.identities(user));
  return json(200, { identities: page.rows.map((row) => view(call, user, row)), ...page.fields });
};

export const createIdentity = (call: Call): Reply => {
  const { store, clock, messages } = call.world;
  const user = ofUser(call);
  assertMayWrite(call, user, user.role);
  const input = bodyObject(call, 'identity');
  const validation = new Validation(messages);
  const value = input['value'];
  if (input['type'] !== 'email') validation.invalid('type', 'Type', input['type']);
  if (typeof value !== 'string' || !/^\S+@\S+\.\S+$/.test(value)) validation.invalid('value', 'Email', value);
  else if (store.userByEmail(value)) {
    validation.add('value', { description: messages.duplicate('Email', value), error: 'DuplicateValue' });
  }
  validation.assertValid();
  const row = store.people.addIdentity(user, String(value), input['verified'] === true, clock.now());
  return json(201, { identity: view(call, user, row) });
};

export const makePrimaryIdentity = (call: Call): Reply => {
  const { store, clock } = call.world;
  const user = ofUser(call);
  assertMayWrite(call, user, user.role);
  const row = ofCall(call, user);
  if (row.value !== user.email) store.people.makePrimary(user, row, clock.now());
  return listIdentities(call);
};

export const deleteIdentity = (call: Call): Reply => {
  const { store, clock, messages } = call.world;
  const user = ofUser(call);
  assertMayWrite(call, user, user.role);
  const row = ofCall(call, user);
  if (row.value === user.email) {
    const validation = new Validation(messages);
    validation.invalid('primary', 'Primary', true);
    validation.assertValid();
  }
  store.people.removeIdentity(user, row.id, clock.now());
  return empty(204);
};
