import { describe, expect, it } from 'vitest';
import { CATALOGUE, OPERATION_NAMES } from '../../src/proxy/catalogue/catalogue.ts';
import { decidePolicy, type PolicyQuestion } from '../../src/proxy/catalogue/policy.ts';

const ALL = OPERATION_NAMES;
const ask = (question: Partial<PolicyQuestion>): string => {
  const decision = decidePolicy({
    operation: 'search',
    integrationAllowed: ALL,
    apiKeyAllowed: null,
    roles: ['AGENT', 'ADMIN'],
    isRestricted: false,
    ...question,
  });
  return decision.allowed ? 'allowed' : decision.denialReason;
};

describe('the policy', () => {
  it.each(ALL)('denies %s by default', (operation) => {
    const { roles } = CATALOGUE[operation];
    expect(ask({ operation, roles, integrationAllowed: [] })).toBe('INTEGRATION_POLICY');
    expect(ask({ operation, roles, integrationAllowed: ALL.filter((name) => name !== operation) })).toBe(
      'INTEGRATION_POLICY',
    );
    expect(ask({ operation, roles: [] })).toBe('ROLE');
    expect(ask({ operation, roles, apiKeyAllowed: [] })).toBe('API_KEY_POLICY');
  });

  it.each([
    '',
    'delete_ticket',
    '__proto__',
    'constructor',
    'SEARCH',
    'search ',
  ])('knows no operation %j, even if listed', (operation) => {
    expect(ask({ operation, integrationAllowed: [operation] })).toBe('UNKNOWN_OPERATION');
  });

  it.each(ALL)('allows %s to the roles that it is for where the integration lists it', (operation) => {
    const { roles } = CATALOGUE[operation];
    const question = { operation, roles, integrationAllowed: [operation] };
    expect(ask(question)).toBe('allowed');
    expect(ask({ ...question, apiKeyAllowed: [operation] })).toBe('allowed');
  });

  it.each(ALL)('lets for %s nobody but its roles', (operation) => {
    const { roles } = CATALOGUE[operation];
    const ofAdmins = ['sync_directory', 'create_user', 'update_user', 'suspend_user', 'manage_groups'];
    expect(roles.includes('ADMIN')).toBe([...ofAdmins, 'end_sessions'].includes(operation));
    for (const role of ['AGENT', 'ADMIN', 'DASHBOARD'] as const) {
      expect(ask({ operation, roles: [role] })).toBe(roles.includes(role) ? 'allowed' : 'ROLE');
    }
  });

  it.each(['OPERATOR', 'AUDITOR', 'agent', ''])('lets a key with the role %j alone run nothing', (role) => {
    for (const operation of ALL) expect(ask({ operation, roles: [role] })).toBe('ROLE');
  });

  it('lets a dashboard read and change nothing', () => {
    const verdicts = ALL.map((operation) => [operation, ask({ operation, roles: ['DASHBOARD'] })]);
    expect(Object.fromEntries(verdicts)).toEqual({
      list_tickets: 'allowed',
      get_ticket: 'allowed',
      create_ticket: 'ROLE',
      update_ticket: 'ROLE',
      list_users: 'allowed',
      list_organizations: 'allowed',
      search: 'allowed',
      subscribe_tickets: 'allowed',
      sync_directory: 'ROLE',
      create_user: 'ROLE',
      update_user: 'ROLE',
      suspend_user: 'ROLE',
      manage_groups: 'ROLE',
      end_sessions: 'ROLE',
    });
    expect(ask({ operation: 'create_ticket', roles: ['DASHBOARD', 'AGENT'] })).toBe('allowed');
  });

  it('narrows by the key and never widens', () => {
    expect(ask({ apiKeyAllowed: ['get_ticket'] })).toBe('API_KEY_POLICY');
    expect(ask({ integrationAllowed: ['get_ticket'], apiKeyAllowed: ['search'] })).toBe('INTEGRATION_POLICY');
  });

  it('lets a restricted client key have only what can be held within an organization or a requester', () => {
    const verdicts = ALL.map((operation) => [operation, ask({ operation, isRestricted: true })]);
    expect(Object.fromEntries(verdicts)).toEqual({
      list_tickets: 'allowed',
      get_ticket: 'allowed',
      create_ticket: 'allowed',
      update_ticket: 'CLIENT_KEY_RESTRICTION',
      list_users: 'CLIENT_KEY_RESTRICTION',
      list_organizations: 'CLIENT_KEY_RESTRICTION',
      search: 'CLIENT_KEY_RESTRICTION',
      subscribe_tickets: 'allowed',
      sync_directory: 'CLIENT_KEY_RESTRICTION',
      create_user: 'CLIENT_KEY_RESTRICTION',
      update_user: 'CLIENT_KEY_RESTRICTION',
      suspend_user: 'CLIENT_KEY_RESTRICTION',
      manage_groups: 'CLIENT_KEY_RESTRICTION',
      end_sessions: 'CLIENT_KEY_RESTRICTION',
    });
    expect(ask({ operation: 'get_ticket', isRestricted: true, integrationAllowed: [] })).toBe(
      'INTEGRATION_POLICY',
    );
  });

  it('tells the caller what would lift a denial', () => {
    const decision = decidePolicy({
      operation: 'search',
      integrationAllowed: [],
      apiKeyAllowed: null,
      roles: ['AGENT'],
      isRestricted: false,
    });
    expect(decision).toMatchObject({ allowed: false, message: expect.stringContaining('allowedOperations') });
  });
});
