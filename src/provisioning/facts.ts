/**
 * What of Zendesk a wish touches, as text by name. A plan keeps it; what is the same again may be applied, what
 * moved may not. Counts that move all the time, of tickets and of seats, are no part of it.
 */
import { encodeCanonicalJson, parseUtf8 } from '../base/index.ts';
import type { Account, Person } from './person.ts';
import { customRoleIdOf, groupIdsOf, heirOf, type Wish } from './wish.ts';

export type Facts = Readonly<Record<string, string>>;

/** `heir` is the agent that a wish names to get tickets, `null` where there is none, or nobody such. */
export function factsOf(wish: Wish, person: Person | null, heir: Person | null, account: Account): Facts {
  const facts: Record<string, string> = { person: person === null ? 'none' : String(person.id) };
  if (person !== null) {
    facts['active'] = String(person.active);
    facts['suspended'] = String(person.suspended);
    facts['role'] = `${person.role} ${person.customRoleId ?? ''}`.trim();
    facts['email'] = person.email ?? '';
    facts['guard'] = guardOf(person.id, account);
    if (touchesGroups(wish)) {
      facts['groups'] = person.groupIds.join(' ');
      facts['defaultGroup'] = String(person.defaultGroupId ?? '');
    }
    if (wish.kind === 'PROVISION') {
      facts['externalId'] = person.externalId ?? '';
      facts['organization'] = String(person.organizationId ?? '');
    }
  }
  if (heirOf(wish)?.kind === 'AGENT') {
    facts['heir'] =
      heir === null ? 'none' : `${heir.id} ${heir.role} ${heir.active ? '' : 'deleted'} ${heir.suspended}`;
  }
  const unknown = groupIdsOf(wish).filter((id) => !account.groups.has(id));
  if (unknown.length > 0) facts['unknownGroups'] = unknown.join(' ');
  const customRoleId = customRoleIdOf(wish);
  if (customRoleId !== null) {
    facts['customRole'] = account.customRoles?.has(customRoleId) === true ? 'known' : 'unknown';
  }
  return facts;
}

/** The text that a fingerprint is made of. */
export function encodeFacts(all: readonly Facts[]): string {
  return parseUtf8(encodeCanonicalJson(all)) ?? '';
}

/** Which guard rail stands around a person; none is `free`. */
function guardOf(id: number, { ownerId, connectedId, breakGlassIds }: Account): string {
  if (id === ownerId) return 'owner';
  if (id === connectedId) return 'connected';
  return breakGlassIds.has(id) ? 'break-glass' : 'free';
}

function touchesGroups(wish: Wish): boolean {
  switch (wish.kind) {
    case 'PROVISION':
    case 'ASSIGN_GROUPS':
    case 'CHANGE_ROLE':
    case 'DEPROVISION':
      return true;
    case 'SUSPEND':
    case 'UNSUSPEND':
      return false;
    default:
      return wish satisfies never;
  }
}
