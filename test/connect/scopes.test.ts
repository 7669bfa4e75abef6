import { describe, expect, it } from 'vitest';
import { missingScopes, OPERATION_NAMES, scopesFor } from '../../src/proxy/index.ts';

describe('the scopes that are asked for', () => {
  it.each([
    [[], ['read']],
    [['get_ticket'], ['organizations:read', 'tickets:read', 'users:read']],
    [['list_users'], ['users:read']],
    [['search'], ['read']],
    [
      ['search', 'create_ticket'],
      ['read', 'tickets:write'],
    ],
    [['an_operation_of_tomorrow'], ['read', 'write']],
  ])('for %j are %j', (operations, scopes) => {
    expect(scopesFor(operations)).toEqual(scopes);
  });

  it('never have a general one beside one that it covers, which Zendesk refuses', () => {
    for (const first of OPERATION_NAMES) {
      for (const second of OPERATION_NAMES) {
        const scopes = scopesFor([first, second]);
        for (const general of ['read', 'write'].filter((one) => scopes.includes(one))) {
          expect(scopes.filter((scope) => scope.endsWith(`:${general}`))).toEqual([]);
        }
        expect(missingScopes(scopesFor([first]), scopes)).toEqual([]);
      }
    }
  });

  it('are compared with what was granted: a general one gives each of its kind', () => {
    const wanted = ['tickets:read', 'tickets:write', 'users:read'];
    expect(missingScopes(wanted, ['read'])).toEqual(['tickets:write']);
    expect(missingScopes(wanted, ['read', 'write'])).toEqual([]);
    expect(missingScopes(wanted, ['users:read', 'tickets:read'])).toEqual(['tickets:write']);
    expect(missingScopes(['read'], ['tickets:read'])).toEqual(['read']);
    expect(missingScopes(['read'], [])).toEqual(['read']);
  });
});
