/** The inputs of plans: from what the graph takes to what is wished of whom. */
import { z } from 'zod';
import type { FieldIssue } from '../../base/index.ts';
import {
  type Heir,
  MOST_CHANGES,
  type PlanKind,
  type ProvisionWish,
  type Wish,
} from '../../provisioning/index.ts';
import type { OperationName } from '../../proxy/index.ts';
import { idField, invalidInput, parseInput } from '../input.ts';
import { objectIdField, zendeskIdField } from '../zendesk/input-fields.ts';

/** Rows of one `provisionMany`. */
export const MAX_ROWS = 1_000;
const MAX_GROUPS = 50;
const MAX_ISSUES = 20;
/** As in an address of Zendesk's search: no quotes, which would end it. */
const EMAIL = /^[^\s@"\\\p{Cc}]{1,64}@[^\s@"\\\p{Cc}]{1,189}$/u;

/** A plan as it is asked for. */
export interface PlanRequest {
  readonly kind: PlanKind;
  readonly integrationId: string;
  readonly wishes: readonly Wish[];
  /** Operations that it needs whatever it finds. */
  readonly operations: readonly OperationName[];
  /** People whom it may change, `null` for what the integration allows. */
  readonly maxChanges: number | null;
}

const integrationId = idField('integration');
const line = (max: number) =>
  z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(max, `must be at most ${max} characters`)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not contain control characters');
const email = z
  .string()
  .regex(EMAIL, 'must be an e-mail address')
  .transform((text) => text.toLowerCase());
const role = z
  .enum(['END_USER', 'AGENT', 'ADMIN'], 'must be END_USER, AGENT or ADMIN')
  .transform((name) => (({ END_USER: 'end-user', AGENT: 'agent', ADMIN: 'admin' }) as const)[name]);
const groupIds = z
  .array(zendeskIdField)
  .max(MAX_GROUPS, `must be at most ${MAX_GROUPS} groups`)
  .nullish()
  .transform((ids) => [...new Set(ids ?? [])]);
const maxChanges = z
  .int()
  .min(1, 'must be at least 1')
  .max(MOST_CHANGES, `must be at most ${MOST_CHANGES}`)
  .nullish();

const personFields = (int: string) => ({
  email,
  name: line(255),
  role: role.nullish(),
  customRoleId: zendeskIdField.nullish(),
  externalId: line(255).nullish(),
  organizationId: objectIdField('organization', int).nullish(),
  groupIds,
  defaultGroupId: zendeskIdField.nullish(),
});

const heirFields = (int: string) => ({
  reassignTicketsTo: objectIdField('user', int).nullish(),
  reassignTicketsToGroup: zendeskIdField.nullish(),
});

const provisionFlags = { allowExisting: z.boolean().nullish(), skipVerifyEmail: z.boolean().nullish() };

export function parseProvisionUser(input: unknown): PlanRequest {
  const int = integrationOf(input);
  const schema = z.strictObject({ integrationId, ...personFields(int), ...provisionFlags });
  const { allowExisting, skipVerifyEmail, ...person } = parseInput(schema, input);
  const wish = provisionWish(person, { allowExisting, skipVerifyEmail });
  refuse(personIssues(wish).map(([path, message]) => ({ path, message })));
  return {
    kind: 'PROVISION_USER',
    integrationId: int,
    wishes: [wish],
    operations: provisionOperations([wish]),
    maxChanges: null,
  };
}

export function parseProvisionMany(input: unknown): PlanRequest {
  const int = integrationOf(input);
  const schema = z.strictObject({
    integrationId,
    people: z
      .array(z.strictObject(personFields(int)))
      .min(1, 'must name somebody')
      .max(MAX_ROWS, `must be at most ${MAX_ROWS} people`),
    ...provisionFlags,
    maxChanges,
  });
  const { people, allowExisting, skipVerifyEmail, maxChanges: most } = parseInput(schema, input);
  const wishes = people.map((person) => provisionWish(person, { allowExisting, skipVerifyEmail }));
  const issues = wishes.flatMap((wish, row) =>
    personIssues(wish).map(([field, message]) => ({ path: `people.${row}.${field}`, message })),
  );
  refuse([...issues, ...duplicateIssues(wishes)]);
  return {
    kind: 'PROVISION_MANY',
    integrationId: int,
    wishes,
    operations: provisionOperations(wishes),
    maxChanges: most ?? null,
  };
}

export function parseChangeUserRole(input: unknown): PlanRequest {
  const int = integrationOf(input);
  const schema = z.strictObject({
    integrationId,
    userId: objectIdField('user', int),
    role,
    customRoleId: zendeskIdField.nullish(),
    ...heirFields(int),
  });
  const { userId, role: wished, customRoleId = null, ...heirs } = parseInput(schema, input);
  const heir = heirOf(heirs);
  refuse(roleIssues(wished, customRoleId).map(([path, message]) => ({ path, message })));
  return {
    kind: 'CHANGE_USER_ROLE',
    integrationId: int,
    wishes: [{ kind: 'CHANGE_ROLE', userId, role: wished, customRoleId, heir }],
    operations: ['update_user', ...(heir === null ? [] : (['update_ticket'] as const))],
    maxChanges: null,
  };
}

export function parseAssignGroups(input: unknown): PlanRequest {
  const int = integrationOf(input);
  const schema = z.strictObject({
    integrationId,
    userId: objectIdField('user', int),
    add: groupIds,
    remove: groupIds,
    defaultGroupId: zendeskIdField.nullish(),
  });
  const { userId, add, remove, defaultGroupId = null } = parseInput(schema, input);
  if (add.length + remove.length === 0 && defaultGroupId === null) {
    refuse([{ path: 'add', message: 'must name a group to add, to remove or to make the default' }]);
  }
  if (remove.some((id) => add.includes(id) || id === defaultGroupId)) {
    refuse([{ path: 'remove', message: 'names a group that is to be added or the default' }]);
  }
  return {
    kind: 'ASSIGN_GROUPS',
    integrationId: int,
    wishes: [{ kind: 'ASSIGN_GROUPS', userId, add, remove, defaultGroupId }],
    operations: ['manage_groups'],
    maxChanges: null,
  };
}

export function parseSuspension(kind: 'SUSPEND' | 'UNSUSPEND', input: unknown): PlanRequest {
  const int = integrationOf(input);
  const schema = z.strictObject({ integrationId, userId: objectIdField('user', int) });
  const { userId } = parseInput(schema, input);
  return {
    kind: `${kind}_USER`,
    integrationId: int,
    wishes: [{ kind, userId }],
    operations: ['suspend_user'],
    maxChanges: null,
  };
}

export function parseDeprovisionUser(input: unknown): PlanRequest {
  const int = integrationOf(input);
  const schema = z.strictObject({ integrationId, userId: objectIdField('user', int), ...heirFields(int) });
  const { userId, ...heirs } = parseInput(schema, input);
  const heir = heirOf(heirs);
  return {
    kind: 'DEPROVISION_USER',
    integrationId: int,
    wishes: [{ kind: 'DEPROVISION', userId, heir }],
    operations: [
      'update_user',
      'suspend_user',
      'end_sessions',
      ...(heir === null ? [] : (['update_ticket'] as const)),
    ],
    maxChanges: null,
  };
}

/** Read first: ids of people and organizations are held against it. */
function integrationOf(input: unknown): string {
  return parseInput(z.looseObject({ integrationId }), input).integrationId;
}

type PersonInput = z.infer<z.ZodObject<ReturnType<typeof personFields>>>;

function provisionWish(
  person: PersonInput,
  {
    allowExisting,
    skipVerifyEmail,
  }: Readonly<Partial<Record<keyof typeof provisionFlags, boolean | null | undefined>>>,
): ProvisionWish {
  return {
    kind: 'PROVISION',
    email: person.email,
    name: person.name,
    role: person.role ?? 'end-user',
    customRoleId: person.customRoleId ?? null,
    externalId: person.externalId ?? null,
    organizationId: person.organizationId ?? null,
    groupIds: person.groupIds,
    defaultGroupId: person.defaultGroupId ?? null,
    allowExisting: allowExisting ?? false,
    skipVerifyEmail: skipVerifyEmail ?? false,
  };
}

function provisionOperations(wishes: readonly ProvisionWish[]): readonly OperationName[] {
  const groups = wishes.some((wish) => wish.groupIds.length > 0 || wish.defaultGroupId !== null);
  const existing = wishes.some((wish) => wish.allowExisting);
  return [
    'create_user',
    ...(existing ? (['update_user'] as const) : []),
    ...(groups ? (['manage_groups'] as const) : []),
  ];
}

type Issue = readonly [field: string, message: string];

function personIssues(wish: ProvisionWish): readonly Issue[] {
  const issues: Issue[] = [...roleIssues(wish.role, wish.customRoleId)];
  if (wish.role === 'end-user' && (wish.groupIds.length > 0 || wish.defaultGroupId !== null)) {
    issues.push(['groupIds', 'is for agents and admins only']);
  }
  return issues;
}

function roleIssues(wished: string, customRoleId: number | null): readonly Issue[] {
  return customRoleId !== null && wished !== 'agent' ? [['customRoleId', 'is for the role AGENT only']] : [];
}

/** Zendesk keeps addresses unique whatever their case. */
function duplicateIssues(wishes: readonly ProvisionWish[]): readonly FieldIssue[] {
  const first = new Map<string, number>();
  return wishes.flatMap(({ email: address }, row) => {
    const earlier = first.get(address);
    if (earlier === undefined) {
      first.set(address, row);
      return [];
    }
    return { path: `people.${row}.email`, message: `is the address of people.${earlier} too` };
  });
}

function heirOf({
  reassignTicketsTo,
  reassignTicketsToGroup,
}: Readonly<
  Partial<Record<'reassignTicketsTo' | 'reassignTicketsToGroup', number | null | undefined>>
>): Heir | null {
  if (reassignTicketsTo != null && reassignTicketsToGroup != null) {
    refuse([{ path: 'reassignTicketsToGroup', message: 'cannot be combined with reassignTicketsTo' }]);
  }
  if (reassignTicketsTo != null) return { kind: 'AGENT', userId: reassignTicketsTo };
  return reassignTicketsToGroup == null ? null : { kind: 'GROUP', groupId: reassignTicketsToGroup };
}

function refuse(issues: readonly FieldIssue[]): void {
  if (issues.length > 0) throw invalidInput(issues.slice(0, MAX_ISSUES));
}
