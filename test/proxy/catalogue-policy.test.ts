import { describe, expect, it } from 'vitest';
import { OPERATION_NAMES } from '../../src/proxy/catalogue/catalogue.ts';
import { decidePolicy, type PolicyQuestion } from '../../src/proxy/catalogue/policy.ts';

const ALL = OPERATION_NAMES;
const ask = (question: Partial<PolicyQuestion>): string => {
  const decision = decidePolicy({
    operation: 'search',
    integrationAllowed: ALL,
    apiKeyAllowed: null,
    roles: ['AGENT'],
    ...question,
  });
  return decision.allowed ? 'allowed' : decision.denialReason;
};

describe('the policy', () => {
  it.each(ALL)('denies %s by default', (operation) => {
    expect(ask({ operation, integrationAllowed: [] })).toBe('INTEGRATION_POLICY');
    expect(ask({ operation, integrationAllowed: ALL.filter((name) => name !== operation) })).toBe(
      'INTEGRATION_POLICY',
    );
    expect(ask({ operation, roles: [] })).toBe('ROLE');
    expect(ask({ operation, apiKeyAllowed: [] })).toBe('API_KEY_POLICY');
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

  it.each(ALL)('allows %s to an agent where the integration lists it', (operation) => {
    expect(ask({ operation, integrationAllowed: [operation] })).toBe('allowed');
    expect(ask({ operation, integrationAllowed: [operation], apiKeyAllowed: [operation] })).toBe('allowed');
  });

  it.each([
    'OPERATOR',
    'ADMIN',
    'AUDITOR',
    'agent',
    '',
  ])('lets a key with the role %j alone run nothing', (role) => {
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
    });
    expect(ask({ operation: 'create_ticket', roles: ['DASHBOARD', 'AGENT'] })).toBe('allowed');
  });

  it('narrows by the key and never widens', () => {
    expect(ask({ apiKeyAllowed: ['get_ticket'] })).toBe('API_KEY_POLICY');
    expect(ask({ integrationAllowed: ['get_ticket'], apiKeyAllowed: ['search'] })).toBe('INTEGRATION_POLICY');
  });

  it('tells the caller what would lift a denial', () => {
    const decision = decidePolicy({
      operation: 'search',
      integrationAllowed: [],
      apiKeyAllowed: null,
      roles: ['AGENT'],
    });
    expect(decision).toMatchObject({ allowed: false, message: expect.stringContaining('allowedOperations') });
  });
});
