/** The directory: the people of an account as the last access sync saw them. */
import {
  encodeObjectId,
  type NamedView,
  needsOperation,
  type PersonView,
  PROTECTED,
} from '../src/service/index.ts';
import { builder } from './builder.ts';
import { connectionCost, connectionResult, type PageArgs } from './connection.ts';
import { DirectoryRoleType, DirectoryStatus, roleTypeOf, TwoFactor, twoFactorOf } from './directory-enums.ts';
import { CALL_COST, FEW } from './zendesk/costs.ts';
import { roleOf, UserRole } from './zendesk/enums.ts';

function namedType(name: string, what: string) {
  return builder.objectRef<NamedView>(name).implement({
    description: `${what}, as the directory knows it.`,
    extensions: PROTECTED,
    fields: (t) => ({
      zendeskId: t.id({
        description: 'Zendesk’s own number.',
        resolve: ({ zendeskId }) => String(zendeskId),
      }),
      name: t.exposeString('name', {
        nullable: true,
        description: 'The name; null where no sync has seen it yet.',
      }),
    }),
  });
}

const DirectoryGroup = namedType('DirectoryGroup', 'A group of agents');
const DirectoryOrganization = namedType('DirectoryOrganization', 'An organization');
export const DirectoryCustomRole = namedType('DirectoryCustomRole', 'A custom role');

export const DirectoryUser = builder.objectRef<PersonView>('DirectoryUser').implement({
  description:
    'A person of the Zendesk account, as the last access sync saw the person. Whoever was deleted at Zendesk, or erased here, is no longer there.',
  extensions: PROTECTED,
  fields: (t) => ({
    zendeskId: t.id({
      description: 'Zendesk’s own number of the person.',
      resolve: ({ zendeskId }) => String(zendeskId),
    }),
    userId: t.id({
      description: 'The global id of the person as a `User`, for `node` and for changes.',
      resolve: ({ integrationId, zendeskId }) => encodeObjectId({ kind: 'user', integrationId, zendeskId }),
    }),
    name: t.string({
      nullable: true,
      description: 'The name as people read it.',
      resolve: (person) => person.texts().name,
    }),
    email: t.string({
      nullable: true,
      description: 'The primary address.',
      resolve: (person) => person.texts().email,
    }),
    phone: t.string({
      nullable: true,
      description: 'The primary number.',
      resolve: (person) => person.texts().phone,
    }),
    externalId: t.string({
      nullable: true,
      description: 'Your own reference of the person.',
      resolve: (person) => person.texts().externalId,
    }),
    role: t.field({
      type: UserRole,
      description: 'What the person is in the account.',
      resolve: ({ role }) => roleOf(role) ?? 'OTHER',
    }),
    roleType: t.field({
      type: DirectoryRoleType,
      nullable: true,
      description: 'What the role of somebody of the staff stands for; null where Zendesk does not tell.',
      resolve: ({ roleType }) => roleTypeOf(roleType),
    }),
    customRole: t.field({
      type: DirectoryCustomRole,
      nullable: true,
      description: 'The custom role, in accounts that have them.',
      resolve: (person) => person.customRole(),
    }),
    roleSince: t.expose('roleSince', {
      type: 'DateTime',
      description: 'Since when the person is known to have this role and custom role.',
    }),
    isRoleSinceExact: t.exposeBoolean('isRoleSinceExact', {
      description: 'Whether a sync saw that change; otherwise the person may have had the role for longer.',
    }),
    takesSeat: t.exposeBoolean('takesSeat', {
      description: 'Whether the role takes up a paid seat, whether or not the person is suspended.',
    }),
    status: t.field({
      type: DirectoryStatus,
      description: 'Whether the person may sign in.',
      resolve: ({ status }) => (status === 'SUSPENDED' ? 'SUSPENDED' : 'ACTIVE'),
    }),
    lastSeenAt: t.expose('lastSeenAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the person last signed in at Zendesk; null: never, or Zendesk does not tell.',
    }),
    twoFactor: t.field({
      type: TwoFactor,
      description: 'Whether the person signs in with two factors.',
      resolve: ({ hasTwoFactor }) => twoFactorOf(hasTwoFactor),
    }),
    organization: t.field({
      type: DirectoryOrganization,
      nullable: true,
      description: 'The organization that the person belongs to first of all.',
      resolve: (person) => person.organization(),
    }),
    groups: t.field({
      type: [DirectoryGroup],
      complexity: FEW,
      description: 'The groups that the person is in.',
      resolve: async (person) => [...(await person.groups())],
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When Zendesk first knew the person.',
    }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the person’s record was last changed at Zendesk.',
    }),
    changedAt: t.expose('changedAt', {
      type: 'DateTime',
      description: 'When a sync last found the person added or changed.',
    }),
  }),
});

export const DirectoryFilterInput = builder.inputType('DirectoryFilterInput', {
  description:
    'Which people: all conditions must hold; of the values of one list any. What is left out does not filter.',
  fields: (t) => ({
    role: t.field({ type: [UserRole], required: false, description: 'Any of these.' }),
    roleType: t.field({ type: [DirectoryRoleType], required: false, description: 'Any of these.' }),
    customRoleId: t.id({ required: false, description: 'The custom role: Zendesk’s number.' }),
    status: t.field({ type: DirectoryStatus, required: false, description: 'Who may, or may not, sign in.' }),
    organizationId: t.id({
      required: false,
      description: 'The organization that they belong to first of all: Zendesk’s number or the global id.',
    }),
    groupId: t.id({ required: false, description: 'A group that they are in: Zendesk’s number.' }),
    lastSeenAfter: t.field({
      type: 'DateTime',
      required: false,
      description: 'Last signed in at this time or later.',
    }),
    lastSeenBefore: t.field({
      type: 'DateTime',
      required: false,
      description: 'Last signed in before this time, or never.',
    }),
    changedSince: t.field({
      type: 'DateTime',
      required: false,
      description: 'Found added or changed by a sync at this time or later.',
    }),
    twoFactor: t.field({ type: TwoFactor, required: false, description: 'As `twoFactor` tells it.' }),
    email: t.string({ required: false, description: 'The primary address, whole, in any case.' }),
    externalId: t.string({ required: false, description: 'Your own reference, whole, in any case.' }),
  }),
});

/** A page that is read from the gateway's own tables by a query of its own, and one more where all are counted. */
export function peopleCost(args: PageArgs) {
  return { ...connectionCost(args), field: 2 * CALL_COST };
}

builder.queryField('directory', (t) =>
  t.connection(
    {
      type: DirectoryUser,
      nullable: true,
      extensions: needsOperation('sync_directory'),
      complexity: peopleCost,
      description:
        'The people of an account as the last access sync saw them, in the order of Zendesk’s numbers; Zendesk is not asked. Needs `sync_directory`. For ADMIN.',
      args: {
        integrationId: t.arg.id({ required: true, description: 'The integration.' }),
        filter: t.arg({
          type: DirectoryFilterInput,
          required: false,
          description: 'Which people; all where left out.',
        }),
      },
      resolve: async (_root, args, { call, services, session }) => {
        const people = await services.listDirectory(call, session, args);
        return { ...connectionResult(people), count: people.count, syncedAt: people.syncedAt };
      },
    },
    {
      name: 'DirectoryUserConnection',
      description: 'A page of people of the directory, and where it stands in the list.',
      extensions: PROTECTED,
      fields: (connection) => ({
        totalCount: connection.int({
          description: 'How many pass the filter, counted now.',
          resolve: ({ count }) => count(),
        }),
        syncedAt: connection.field({
          type: 'DateTime',
          nullable: true,
          description:
            'When the last access sync that came to its end began: all is at least as new. Null before the first.',
          resolve: ({ syncedAt }) => syncedAt(),
        }),
      }),
    },
    {
      name: 'DirectoryUserEdge',
      description: 'One person of a page, with the place in the list.',
      extensions: PROTECTED,
    },
  ),
);
