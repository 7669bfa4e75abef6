/** The review of access: who may do what in an account, in numbers and person by person. */
import {
  type AccessReviewView,
  type CustomRoleCount,
  type MemberView,
  needsOperation,
  PROTECTED,
} from '../src/service/index.ts';
import { builder } from './builder.ts';
import { connectionResult } from './connection.ts';
import { DirectoryCustomRole, DirectoryFilterInput, DirectoryUser, peopleCost } from './directory.ts';
import { AccessFinding } from './directory-enums.ts';
import { CALL_COST } from './zendesk/costs.ts';

/** Everybody in the directory is counted. */
const REVIEW_COST = 4 * CALL_COST;
/** An account's custom roles: some, and seldom many. */
const CUSTOM_ROLES = Object.freeze({ field: 1, multiplier: 20 });

const AccessReviewCustomRole = builder.objectRef<CustomRoleCount>('AccessReviewCustomRole').implement({
  description: 'How many have a custom role.',
  extensions: PROTECTED,
  fields: (t) => ({
    customRole: t.field({
      type: DirectoryCustomRole,
      description: 'The role.',
      resolve: ({ customRole }) => customRole,
    }),
    count: t.exposeInt('count', { description: 'How many have it, suspended or not.' }),
    suspended: t.exposeInt('suspended', { description: 'How many of them are suspended.' }),
  }),
});

const AccessReviewFinding = builder
  .objectRef<AccessReviewView['findings'][number]>('AccessReviewFinding')
  .implement({
    description: 'How many of the staff a finding is true of.',
    extensions: PROTECTED,
    fields: (t) => ({
      finding: t.field({
        type: AccessFinding,
        description: 'What was looked for.',
        resolve: ({ finding }) => finding,
      }),
      count: t.exposeInt('count', { description: 'How many.' }),
    }),
  });

const AccessReviewMember = builder.objectRef<MemberView>('AccessReviewMember').implement({
  description: 'Somebody of the staff, and what is to be looked at first.',
  extensions: PROTECTED,
  fields: (t) => ({
    user: t.field({ type: DirectoryUser, description: 'The person.', resolve: ({ user }) => user }),
    findings: t.field({
      type: [AccessFinding],
      complexity: { field: 1, multiplier: 2 },
      description: 'What is found of the person.',
      resolve: async ({ findings }) => [...(await findings())],
    }),
  }),
});

const AccessReview = builder.objectRef<AccessReviewView>('AccessReview').implement({
  description:
    'Who has access to an account, as the last access sync saw it. Staff is everybody but end users: agents, also light ones, and admins.',
  extensions: PROTECTED,
  fields: (t) => ({
    integrationId: t.exposeID('integrationId', { description: 'The integration that leads to the account.' }),
    reviewedAt: t.expose('reviewedAt', { type: 'DateTime', description: 'When this was counted.' }),
    syncedAt: t.expose('syncedAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When the last access sync that came to its end began: all is at least as new. Null before the first.',
    }),
    dormantAfterDays: t.exposeInt('dormantAfterDays', {
      description: 'Days without signing in after which somebody is dormant.',
    }),
    users: t.exposeInt('users', { description: 'Everybody.' }),
    endUsers: t.exposeInt('endUsers', { description: 'Customers.' }),
    staff: t.exposeInt('staff', { description: 'Everybody else.' }),
    admins: t.exposeInt('admins', { description: 'Of the staff: admins.' }),
    agents: t.exposeInt('agents', { description: 'Of the staff: agents of all kinds.' }),
    lightAgents: t.exposeInt('lightAgents', {
      description: 'Of the agents: light agents, who take up no seat.',
    }),
    contributors: t.exposeInt('contributors', {
      description: 'Of the agents: contributors, who take up no seat.',
    }),
    suspendedStaff: t.exposeInt('suspendedStaff', { description: 'Of the staff: who may not sign in.' }),
    seatsUsed: t.exposeInt('seatsUsed', {
      description: 'Paid seats that are taken up: by all of the staff but light agents and contributors.',
    }),
    customRoles: t.field({
      type: [AccessReviewCustomRole],
      complexity: CUSTOM_ROLES,
      description: 'The custom roles of the account, also those that nobody has.',
      resolve: ({ customRoles }) => [...customRoles],
    }),
    findings: t.field({
      type: [AccessReviewFinding],
      complexity: { field: 1, multiplier: 5 },
      description: 'What is to be looked at first, each with how many it is true of.',
      resolve: ({ findings }) => [...findings],
    }),
    members: t.connection(
      {
        type: AccessReviewMember,
        complexity: peopleCost,
        description: 'The staff, in the order of Zendesk’s numbers.',
        args: {
          finding: t.arg({
            type: AccessFinding,
            required: false,
            description: 'Only those that it is true of.',
          }),
          filter: t.arg({
            type: DirectoryFilterInput,
            required: false,
            description: 'Only those that pass; all where left out.',
          }),
        },
        resolve: async (review, args) => {
          const members = await review.members(args);
          return { ...connectionResult(members), count: members.count };
        },
      },
      {
        name: 'AccessReviewMemberConnection',
        description: 'A page of the staff, and where it stands in the list.',
        extensions: PROTECTED,
        fields: (connection) => ({
          totalCount: connection.int({
            description: 'How many there are of them, counted now.',
            resolve: ({ count }) => count(),
          }),
        }),
      },
      {
        name: 'AccessReviewMemberEdge',
        description: 'One of the staff of a page, with the place in the list.',
        extensions: PROTECTED,
      },
    ),
  }),
});

builder.queryField('accessReview', (t) =>
  t.field({
    type: AccessReview,
    nullable: true,
    extensions: needsOperation('sync_directory'),
    complexity: REVIEW_COST,
    description:
      'Who has access to an account, as the last access sync saw it; Zendesk is not asked. Needs `sync_directory`. For ADMIN.',
    args: {
      integrationId: t.arg.id({ required: true, description: 'The integration.' }),
      dormantAfterDays: t.arg.int({
        required: false,
        description:
          'Days without signing in after which somebody is dormant, from 1 to 9999; 90 where left out.',
      }),
    },
    resolve: (_root, args, { call, services, session }) => services.reviewAccess(call, session, args),
  }),
);
