import { customRoleIdOf, heirOf, type Reality, userIdOf, type Wish } from '../../provisioning/index.ts';
import type { PeopleSource } from '../../proxy/index.ts';

/** What Zendesk holds of each wish, in their order. Rejects with the failures of Zendesk. */
export async function readReality(
  source: PeopleSource,
  wishes: readonly Wish[],
  breakGlassIds: ReadonlySet<number>,
): Promise<readonly Reality[]> {
  const userIds = wishes.flatMap((wish) => userIdOf(wish) ?? []);
  const heirIds = wishes.flatMap((wish) => {
    const heir = heirOf(wish);
    return heir?.kind === 'AGENT' ? heir.userId : [];
  });
  const addresses = wishes.flatMap((wish) => (wish.kind === 'PROVISION' ? wish.email : []));
  const needs = {
    groups: wishes.some(({ kind }) => kind !== 'SUSPEND' && kind !== 'UNSUSPEND'),
    openTickets: wishes.some(leavesStaff),
  };
  const nothing = { groups: false, openTickets: false };
  const [people, heirs, holders, account] = await Promise.all([
    source.byIds(userIds, needs),
    source.byIds(heirIds, nothing),
    source.byAddresses(addresses, { groups: true, openTickets: false }),
    source.account(breakGlassIds, {
      groups: needs.groups,
      customRoles: wishes.some((wish) => customRoleIdOf(wish) !== null),
    }),
  ]);
  return wishes.map((wish) => {
    const heir = heirOf(wish);
    const person = wish.kind === 'PROVISION' ? holders.get(wish.email) : people.get(wish.userId);
    return {
      person: person ?? null,
      heir: heir?.kind === 'AGENT' ? (heirs.get(heir.userId) ?? null) : null,
      account,
    };
  });
}

function leavesStaff(wish: Wish): boolean {
  return wish.kind === 'DEPROVISION' || (wish.kind === 'CHANGE_ROLE' && wish.role === 'end-user');
}
