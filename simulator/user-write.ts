/**
 * Creating, changing and deleting users. Keys Zendesk doesn't permit are ignored and named in
 * `x-zendesk-api-warn`; an address in an update is added to those the user has.
 */
import { bodyObject, type Call, idParam, userOf, warnUnpermitted } from './call.ts';
import { newEndUser } from './new-user.ts';
import { userView } from './people-view.ts';
import type { UserRow } from './records.ts';
import { json, type Reply, recordNotFound } from './reply.ts';
import { checkSeat } from './seats.ts';
import { readUserChanges, USER_KEYS } from './user-changes.ts';
import { changeUser, deleteUserRow, scrubUserRow } from './user-life.ts';
import { assertMayLockOut, assertMayWrite } from './user-rights.ts';
import { isRecord, Validation } from './validation.ts';

type Input = Readonly<Record<string, unknown>>;

const unpermitted = (input: Input): string[] =>
  Object.keys(input)
    .filter((key) => !USER_KEYS.has(key))
    .map((key) => `user.${key}`);

/** The user of the path, unless deleted. */
const livingUser = (call: Call): UserRow => {
  const user = call.world.store.user(idParam(call));
  if (!user?.active) throw recordNotFound();
  return user;
};

const create = (call: Call, input: Input, action: string): Reply => {
  const { store, clock, messages } = call.world;
  const validation = new Validation(messages);
  const { fields, email } = readUserChanges(call, input, null, validation);
  const { role = 'end-user', customRoleId = null } = fields;
  assertMayWrite(call, null, role);
  checkSeat(call.world, null, { role, customRoleId, active: true }, validation);
  validation.assertValid();
  const user = store.addUser(newEndUser(fields.name ?? '', email, clock.now()));
  changeUser(call.world, user, fields, userOf(call));
  return json(
    201,
    { user: userView(user, call.origin) },
    {
      location: `${call.origin}/api/v2/users/${user.id}.json`,
      ...warnUnpermitted('users', action, unpermitted(input)),
    },
  );
};

const update = (call: Call, user: UserRow, input: Input, action: string): Reply => {
  const { store, clock, messages } = call.world;
  const validation = new Validation(messages);
  const { fields, email } = readUserChanges(call, input, user, validation);
  const { role = user.role, customRoleId = user.customRoleId } = fields;
  assertMayWrite(call, user, role);
  const demoted = role !== user.role || customRoleId !== user.customRoleId;
  if (demoted || fields.suspended === true) assertMayLockOut(call, user);
  checkSeat(call.world, user, { role, customRoleId, active: true }, validation);
  validation.assertValid();
  changeUser(call.world, user, fields, userOf(call));
  if (email !== null && user.email === null) store.updateUser(user, { email }, clock.now());
  else if (email !== null) store.people.addIdentity(user, email, false, clock.now());
  return json(
    200,
    { user: userView(user, call.origin) },
    warnUnpermitted('users', action, unpermitted(input)),
  );
};

export const createUser = (call: Call): Reply => create(call, bodyObject(call, 'user'), 'create');

export const updateUser = (call: Call): Reply =>
  update(call, livingUser(call), bodyObject(call, 'user'), 'update');

/** The user a `create_or_update` would update: that of the external id, else that of the address. */
const findNamed = (call: Call, input: Input): UserRow | null => {
  const { people } = call.world.store;
  const { external_id: externalId, email } = input;
  const byExternalId =
    typeof externalId === 'string' && externalId !== '' ? people.byExternalId(externalId) : null;
  return byExternalId ?? (typeof email === 'string' ? people.byEmail(email) : null);
};

export const createOrUpdateUser = (call: Call): Reply => {
  const input = bodyObject(call, 'user');
  const user = findNamed(call, input);
  return user ? update(call, user, input, 'create_or_update') : create(call, input, 'create_or_update');
};

/** Whose updates a write counts among: the user's, or the address's while there is none. */
export const updatedUserKey = (call: Call): string => {
  if (call.params[0] !== undefined) return call.params[0];
  try {
    const body: unknown = JSON.parse(Buffer.from(call.rawBody).toString('utf8'));
    const input = isRecord(body) && isRecord(body['user']) ? body['user'] : {};
    return String(findNamed(call, input)?.id ?? input['email'] ?? input['external_id']);
  } catch {
    return 'unreadable';
  }
};

export const deleteUser = (call: Call): Reply => {
  const user = livingUser(call);
  assertMayWrite(call, user, user.role);
  assertMayLockOut(call, user);
  deleteUserRow(call.world, user, userOf(call));
  return json(200, { user: userView(user, call.origin) });
};

/** Permanent deletion, of users who are deleted already. */
export const scrubUser = (call: Call): Reply => {
  const user = call.world.store.user(idParam(call));
  if (!user || user.active || user.scrubbed) throw recordNotFound();
  scrubUserRow(call.world, user);
  return json(200, { deleted_user: userView(user, call.origin) });
};
