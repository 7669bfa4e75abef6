/** How every field of the typed graph that leads to Zendesk answers a restricted client key. */

import type { RestrictionKind } from './restricted-desk.ts';

/**
 * SHOWN: what is there. WITHHELD: empty, whatever is there. DENIED: OPERATION_NOT_ALLOWED. ADMINS: FORBIDDEN, since
 * no role that may log in with such a key comes near it.
 */
export type Sight = 'SHOWN' | 'WITHHELD' | 'DENIED' | 'ADMINS';

export interface TypeExample {
  /** From the own ticket to an object of the type; `%` is where its fields are selected. */
  readonly path: string;
  readonly fields: Readonly<Record<string, Sight | Readonly<Record<RestrictionKind, Sight>>>>;
}

const all = (sight: Sight, names: string): Readonly<Record<string, Sight>> =>
  Object.fromEntries(names.split(' ').map((name) => [name, sight]));
const inTicket = (selection: string) => `integration(id: $int) { ticket(id: $own) { ${selection} } }`;

function directoryExamples(): Readonly<Record<string, TypeExample>> {
  const directory = 'directory(integrationId: $int) { % }';
  const people = directory.replace('%', 'nodes { % }');
  const review = 'accessReview(integrationId: $int) { % }';
  const example = (path: string, names: string): TypeExample => ({ path, fields: all('ADMINS', names) });
  const within = (path: string, selection: string) => path.replace('%', selection);
  return {
    DirectoryUserConnection: example(directory, 'edges nodes pageInfo totalCount syncedAt'),
    DirectoryUserEdge: example(within(directory, 'edges { % }'), 'cursor node'),
    DirectoryUser: example(
      people,
      'zendeskId userId name email phone externalId role roleType customRole roleSince isRoleSinceExact takesSeat status lastSeenAt twoFactor organization groups createdAt updatedAt changedAt',
    ),
    DirectoryGroup: example(within(people, 'groups { % }'), 'zendeskId name'),
    DirectoryOrganization: example(within(people, 'organization { % }'), 'zendeskId name'),
    DirectoryCustomRole: example(within(people, 'customRole { % }'), 'zendeskId name'),
    AccessReview: example(
      review,
      'integrationId reviewedAt syncedAt dormantAfterDays users endUsers staff admins agents lightAgents contributors suspendedStaff seatsUsed customRoles findings members',
    ),
    AccessReviewCustomRole: example(within(review, 'customRoles { % }'), 'customRole count suspended'),
    AccessReviewFinding: example(within(review, 'findings { % }'), 'finding count'),
    AccessReviewMemberConnection: example(within(review, 'members { % }'), 'edges nodes pageInfo totalCount'),
    AccessReviewMemberEdge: example(within(review, 'members { edges { % } }'), 'cursor node'),
    AccessReviewMember: example(within(review, 'members { nodes { % } }'), 'user findings'),
  };
}

export const TYPE_EXAMPLES: Readonly<Record<string, TypeExample>> = {
  Ticket: {
    path: inTicket('%'),
    fields: {
      ...all('SHOWN', 'id zendeskId subject status customStatusId type via requester submitter assignee'),
      ...all('SHOWN', 'organization groupId brandId ticketFormId comments isPublic createdAt updatedAt'),
      // Empty in the example by themselves: nobody is in copy, it has no priority, and nothing is due.
      ...all('WITHHELD', 'priority emailCcs dueAt'),
      ...all('WITHHELD', 'externalId description tags customFields satisfaction collaborators followers'),
      ...all('WITHHELD', 'problem hasIncidents'),
      ...all('DENIED', 'incidents'),
    },
  },
  Comment: {
    path: inTicket('comments { nodes { % } }'),
    fields: {
      ...all('SHOWN', 'id zendeskId ticket author public body htmlBody plainBody via createdAt'),
      ...all('WITHHELD', 'attachments'),
    },
  },
  User: {
    path: inTicket('requester { % }'),
    fields: {
      ...all('SHOWN', 'id zendeskId name'),
      ...all('WITHHELD', 'photo'),
      ...all('DENIED', 'email phone role customRoleId externalId organization organizations assignedTickets'),
      ...all('DENIED', 'defaultGroupId active suspended verified twoFactorEnabled locale timeZone tags'),
      ...all('DENIED', 'details notes lastLoginAt createdAt updatedAt'),
      requestedTickets: { ORGANIZATION: 'DENIED', REQUESTER: 'SHOWN' },
    },
  },
  Organization: {
    path: inTicket('organization { % }'),
    fields: {
      ...all('SHOWN', 'id zendeskId name'),
      ...all('DENIED', 'externalId domainNames details notes groupId sharedTickets sharedComments tags'),
      ...all('DENIED', 'createdAt updatedAt users'),
      tickets: { ORGANIZATION: 'SHOWN', REQUESTER: 'DENIED' },
    },
  },
  Via: {
    path: inTicket('via { % }'),
    fields: { ...all('SHOWN', 'channel'), ...all('DENIED', 'fromName fromAddress') },
  },
  CustomField: { path: inTicket('customFields { % }'), fields: all('WITHHELD', 'fieldId value') },
  Satisfaction: { path: inTicket('satisfaction { % }'), fields: all('WITHHELD', 'score comment reason') },
  Attachment: {
    path: inTicket('comments { nodes { attachments { % } } }'),
    fields: all('WITHHELD', 'zendeskId fileName contentType size contentUrl inline'),
  },
  TicketConnection: {
    path: 'myTickets(integrationId: $int) { % }',
    fields: { ...all('SHOWN', 'edges nodes pageInfo'), ...all('WITHHELD', 'totalCount') },
  },
  TicketEdge: {
    path: 'myTickets(integrationId: $int) { edges { % } }',
    fields: all('SHOWN', 'cursor node'),
  },
  CommentConnection: {
    path: inTicket('comments { % }'),
    fields: { ...all('SHOWN', 'edges nodes pageInfo'), ...all('WITHHELD', 'totalCount') },
  },
  CommentEdge: { path: inTicket('comments { edges { % } }'), fields: all('SHOWN', 'cursor node') },
  UserConnection: {
    path: 'integration(id: $int) { users { % } }',
    fields: all('DENIED', 'edges nodes pageInfo totalCount'),
  },
  UserEdge: { path: 'integration(id: $int) { users { edges { % } } }', fields: all('DENIED', 'cursor node') },
  OrganizationConnection: {
    path: 'integration(id: $int) { organizations { % } }',
    fields: all('DENIED', 'edges nodes pageInfo totalCount'),
  },
  OrganizationEdge: {
    path: 'integration(id: $int) { organizations { edges { % } } }',
    fields: all('DENIED', 'cursor node'),
  },
  SearchResultConnection: {
    path: 'integration(id: $int) { search(query: "lamp") { % } }',
    fields: all('DENIED', 'edges nodes pageInfo totalCount'),
  },
  ...directoryExamples(),
  SearchResultEdge: {
    path: 'integration(id: $int) { search(query: "lamp") { edges { % } } }',
    fields: all('DENIED', 'cursor node'),
  },
};

/** Types that no path leads to but the root field itself, whose example shows them. */
export const TYPES_OF_ROOTS: Readonly<Record<string, string>> = {
  CreateTicketPayload: 'Mutation.createTicket',
  UpdateTicketPayload: 'Mutation.updateTicket',
  AddCommentPayload: 'Mutation.addComment',
  TicketChange: 'Subscription.ticketChanges',
  FeedPosition: 'Subscription.ticketChanges',
  // All of a plan are for ADMIN; test/provisioning tries them with restricted keys.
  ProvisioningPlan: 'Query.provisioningPlan',
  ProvisioningItem: 'Query.provisioningPlan',
  ProvisioningStep: 'Query.provisioningPlan',
  ProvisioningWarning: 'Query.provisioningPlan',
  ProvisioningBlock: 'Query.provisioningPlan',
  ProvisioningDifference: 'Query.provisioningPlan',
  ProvisioningCounts: 'Query.provisioningPlan',
  ProvisioningPlanItemsConnection: 'Query.provisioningPlan',
  ProvisioningPlanItemsConnectionEdge: 'Query.provisioningPlan',
  QueryProvisioningPlansConnection: 'Query.provisioningPlans',
  QueryProvisioningPlansConnectionEdge: 'Query.provisioningPlans',
};

/** Root fields from which something of Zendesk can be reached, each tried by the test of its name or kind. */
export const ROOTS_OF_ZENDESK: readonly string[] = [
  ...['Query.integration', 'Query.integrations', 'Query.myTickets', 'Query.node', 'Query.nodes'],
  ...['Query.directory', 'Query.accessReview'],
  ...['Mutation.createTicket', 'Mutation.updateTicket', 'Mutation.addComment', 'Mutation.proxyOutbound'],
  ...['Mutation.unsealCredential', 'Mutation.createIntegration', 'Mutation.updateIntegration'],
  ...['Mutation.enableTicketFeed', 'Mutation.disableTicketFeed', 'Subscription.ticketChanges'],
  'Mutation.disconnectZendesk',
  ...['Query.provisioningPlan', 'Query.provisioningPlans', 'Mutation.provisionUser'],
  ...['Mutation.provisionMany', 'Mutation.changeUserRole', 'Mutation.assignGroups', 'Mutation.suspendUser'],
  ...['Mutation.unsuspendUser', 'Mutation.deprovisionUser', 'Mutation.applyPlan', 'Mutation.cancelPlan'],
];
