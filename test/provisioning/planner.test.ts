/** The planner by itself: whatever is wished and whatever there is, the guard rails hold and nothing else changes. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type Account,
  groupIdsOf,
  heirOf,
  isStaff,
  LOCKING_STEPS,
  movedSince,
  PERSON_ROLES,
  type Person,
  type PlanStep,
  planWish,
  type Reality,
  type Wish,
} from '../../src/provisioning/index.ts';

const id = fc.integer({ min: 1, max: 9 });
const groupId = fc.integer({ min: 101, max: 104 });
const roleId = fc.integer({ min: 201, max: 203 });
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null });
const role = fc.constantFrom(...PERSON_ROLES);
const external = maybe(fc.constantFrom('a', 'b'));

const person: fc.Arbitrary<Person> = fc
  .record({
    id,
    name: maybe(fc.constant('Name')),
    email: maybe(fc.constantFrom('a@x.test', 'b@x.test')),
    role,
    customRoleId: maybe(roleId),
    externalId: external,
    organizationId: maybe(id),
    suspended: fc.boolean(),
    active: fc.boolean(),
    groupIds: fc.uniqueArray(groupId, { maxLength: 4 }),
    openTickets: maybe(fc.nat(5)),
  })
  .map((made) => {
    const groupIds = isStaff(made) ? made.groupIds.toSorted((a, b) => a - b) : [];
    return { ...made, groupIds, defaultGroupId: groupIds[0] ?? null };
  });

const account: fc.Arbitrary<Account> = fc.record({
  ownerId: maybe(id),
  connectedId: maybe(id),
  breakGlassIds: fc.uniqueArray(id, { maxLength: 3 }).map((ids) => new Set(ids)),
  groups: fc
    .uniqueArray(groupId, { maxLength: 4 })
    .map((ids) => new Map(ids.map((one) => [one, `Group ${one}`]))),
  customRoles: maybe(
    fc.uniqueArray(roleId, { maxLength: 3 }).map((ids) => new Map(ids.map((one) => [one, `Role ${one}`]))),
  ),
  staff: maybe(fc.nat(100)),
});

const heir = maybe(
  fc.oneof(
    fc.record({ kind: fc.constant('AGENT' as const), userId: id }),
    fc.record({ kind: fc.constant('GROUP' as const), groupId }),
  ),
);
const groups = fc.uniqueArray(groupId, { maxLength: 3 });

const wish: fc.Arbitrary<Wish> = fc.oneof(
  fc.record({
    kind: fc.constant('PROVISION' as const),
    email: fc.constant('a@x.test'),
    name: fc.constant('New'),
    role,
    customRoleId: maybe(roleId),
    externalId: external,
    organizationId: maybe(id),
    groupIds: groups,
    defaultGroupId: maybe(groupId),
    allowExisting: fc.boolean(),
    skipVerifyEmail: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('CHANGE_ROLE' as const),
    userId: id,
    role,
    customRoleId: maybe(roleId),
    heir,
  }),
  fc
    .record({
      kind: fc.constant('ASSIGN_GROUPS' as const),
      userId: id,
      add: groups,
      remove: groups,
      defaultGroupId: maybe(groupId),
    })
    // What contradicts itself is refused as an input.
    .map((made) => ({
      ...made,
      remove: made.remove.filter((one) => !made.add.includes(one) && one !== made.defaultGroupId),
    })),
  fc.record({ kind: fc.constantFrom('SUSPEND' as const, 'UNSUSPEND' as const), userId: id }),
  fc.record({ kind: fc.constant('DEPROVISION' as const), userId: id, heir }),
);

const reality: fc.Arbitrary<Reality> = fc.record({ person: maybe(person), heir: maybe(person), account });

const kindsOf = (steps: readonly PlanStep[]): readonly string[] => steps.map(({ kind }) => kind);

it('locks nobody out whom a guard rail protects', () => {
  fc.assert(
    fc.property(wish, reality, (wished, found) => {
      const { steps } = planWish(wished, found);
      const { ownerId, connectedId, breakGlassIds } = found.account;
      const of = found.person?.id ?? 0;
      const isGuarded = of === ownerId || of === connectedId || breakGlassIds.has(of);
      return !isGuarded || !steps.some(({ kind }) => LOCKING_STEPS.includes(kind));
    }),
    { numRuns: 3_000 },
  );
});

it('changes nobody who is not there, is deleted, or is there and was not to be changed', () => {
  fc.assert(
    fc.property(wish, reality, (wished, found) => {
      const { steps, blocked } = planWish(wished, found);
      if (wished.kind === 'PROVISION') {
        if (found.person === null) return steps.length === 0 || steps[0]?.kind === 'CREATE_USER';
        const mayChange = wished.allowExisting && found.person.active;
        return !kindsOf(steps).includes('CREATE_USER') && (mayChange || steps.length === 0);
      }
      return found.person?.active === true || (steps.length === 0 && blocked !== null);
    }),
    { numRuns: 3_000 },
  );
});

it('changes only what the wish names', () => {
  const allowed: Readonly<Record<Wish['kind'], readonly string[]>> = {
    PROVISION: [
      'CREATE_USER',
      'CHANGE_ROLE',
      'SET_EXTERNAL_ID',
      'SET_ORGANIZATION',
      'ADD_GROUP',
      'SET_DEFAULT_GROUP',
    ],
    CHANGE_ROLE: ['REASSIGN_TICKETS', 'CHANGE_ROLE'],
    ASSIGN_GROUPS: ['ADD_GROUP', 'SET_DEFAULT_GROUP', 'REMOVE_GROUP'],
    SUSPEND: ['SUSPEND'],
    UNSUSPEND: ['UNSUSPEND'],
    DEPROVISION: ['REASSIGN_TICKETS', 'CHANGE_ROLE', 'SUSPEND', 'END_SESSIONS'],
  };
  fc.assert(
    fc.property(wish, reality, (wished, found) => {
      const { steps } = planWish(wished, found);
      // In their order, each kind that may stand once once.
      const order = allowed[wished.kind];
      const places = steps.map(({ kind }) => order.indexOf(kind));
      expect(places).not.toContain(-1);
      expect(places).toEqual(places.toSorted((a, b) => a - b));
      for (const step of steps) {
        if (step.kind === 'SET_EXTERNAL_ID' && wished.kind === 'PROVISION')
          expect(step.to).toBe(wished.externalId);
        if ('groupId' in step) expect(groupIdsOf(wished)).toContain(step.groupId);
        if (step.kind === 'CHANGE_ROLE' && (wished.kind === 'CHANGE_ROLE' || wished.kind === 'PROVISION')) {
          expect(step.to).toEqual({ role: wished.role, customRoleId: wished.customRoleId });
        }
      }
    }),
    { numRuns: 3_000 },
  );
});

it('takes nobody out of the staff whose open tickets go to nobody fit', () => {
  fc.assert(
    fc.property(wish, reality, (wished, found) => {
      const { steps } = planWish(wished, found);
      const leaves = steps.some((step) => step.kind === 'CHANGE_ROLE' && step.to.role === 'end-user');
      if (!leaves || found.person === null || (found.person.openTickets ?? 0) === 0) return;
      expect(steps[0]?.kind).toBe('REASSIGN_TICKETS');
      const named = heirOf(wished);
      if (named?.kind === 'GROUP') expect(found.account.groups.has(named.groupId)).toBe(true);
      else {
        expect(found.heir).toMatchObject({ active: true, suspended: false });
        expect(found.heir?.id).not.toBe(found.person.id);
        expect(found.heir?.role).not.toBe('end-user');
      }
    }),
    { numRuns: 3_000 },
  );
});

it('leaves an agent in a group at least, and puts nobody into a group that is not there', () => {
  fc.assert(
    fc.property(wish, reality, (wished, found) => {
      const { steps } = planWish(wished, found);
      const inGroups = new Set(found.person?.groupIds);
      for (const step of steps) {
        if (step.kind === 'ADD_GROUP') {
          expect(found.account.groups.has(step.groupId)).toBe(true);
          inGroups.add(step.groupId);
        }
        if (step.kind === 'SET_DEFAULT_GROUP') expect(inGroups.has(step.groupId)).toBe(true);
        if (step.kind === 'REMOVE_GROUP') {
          inGroups.delete(step.groupId);
          expect(inGroups.size).toBeGreaterThan(0);
        }
      }
    }),
    { numRuns: 3_000 },
  );
});

it('plans the same of the same, says why where it plans nothing that is wished, and nothing more when it is done', () => {
  fc.assert(
    fc.property(wish, reality, (wished, found) => {
      const planned = planWish(wished, found);
      expect(planWish(wished, found)).toEqual(planned);
      if (planned.blocked !== null) expect(planned.steps).toEqual([]);
      if (found.person === null || planned.steps.length === 0) return;
      const again = planWish(wished, { ...found, person: applied(found.person, planned.steps) });
      expect(again).toMatchObject({ steps: [], blocked: null });
      expect(movedSince(planned, again).length).toBeGreaterThan(0);
      expect(movedSince(planned, planWish(wished, found))).toEqual([]);
    }),
    { numRuns: 3_000 },
  );
});

it('counts as moved what has to settle open tickets by now, and no number of them that it knew of', () => {
  fc.assert(
    fc.property(wish, reality, fc.nat(5), (wished, found, openTickets) => {
      const planned = planWish(wished, found);
      if (found.person === null || planned.steps.length === 0) return;
      const present = planWish(wished, { ...found, person: { ...found.person, openTickets } });
      const leaves = isStaff(found.person) && kindsOf(planned.steps).includes('CHANGE_ROLE') && isOut(wished);
      const isNew = leaves && openTickets > 0 && !kindsOf(planned.steps).includes('REASSIGN_TICKETS');
      expect(movedSince(planned, present)).toEqual(isNew ? ['openTickets'] : []);
    }),
    { numRuns: 3_000 },
  );
});

function isOut(wished: Wish): boolean {
  return wished.kind === 'DEPROVISION' || (wished.kind === 'CHANGE_ROLE' && wished.role === 'end-user');
}

/** A person as Zendesk has them after these steps. */
function applied(before: Person, steps: readonly PlanStep[]): Person {
  let after = before;
  for (const step of steps) {
    switch (step.kind) {
      case 'CHANGE_ROLE': {
        const { role: to, customRoleId } = step.to;
        const leaves = to === 'end-user' ? { groupIds: [], defaultGroupId: null } : {};
        after = { ...after, role: to, customRoleId, ...leaves };
        break;
      }
      case 'SET_EXTERNAL_ID':
        after = { ...after, externalId: step.to };
        break;
      case 'SET_ORGANIZATION':
        after = { ...after, organizationId: step.to };
        break;
      case 'ADD_GROUP':
        after = { ...after, groupIds: [...after.groupIds, step.groupId] };
        break;
      case 'REMOVE_GROUP':
        after = { ...after, groupIds: after.groupIds.filter((one) => one !== step.groupId) };
        break;
      case 'SET_DEFAULT_GROUP':
        after = { ...after, defaultGroupId: step.groupId };
        break;
      case 'REASSIGN_TICKETS':
        after = { ...after, openTickets: 0 };
        break;
      case 'SUSPEND':
      case 'UNSUSPEND':
        after = { ...after, suspended: step.kind === 'SUSPEND' };
        break;
      case 'CREATE_USER':
      case 'END_SESSIONS':
        break;
      default:
        step satisfies never;
    }
  }
  return after;
}
