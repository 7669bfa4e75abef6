import { describe, expect, it } from 'vitest';
import { SealdeskError } from '../../src/base/index.ts';
import { verifyCredential } from '../../src/zendesk/index.ts';
import { openRig } from './rig.ts';
import { answer, type Script } from './scripted-server.ts';

const user =
  (members: object): Script =>
  (_request, response) =>
    answer(response, 200, {
      user: { id: 5, name: 'Ann', role: 'agent', active: true, suspended: false, ...members },
    });
const status =
  (code: number, body: unknown, headers = {}): Script =>
  (_request, response) =>
    answer(response, code, body, headers);

describe('the check of a credential', () => {
  it.each([
    { role: 'agent', roleType: 1 },
    { role: 'admin', roleType: 4 },
    { role: 'agent', roleType: null },
  ])('accepts the credential of an $role and tells ids and kind of role only', async ({ role, roleType }) => {
    await using rig = await openRig(
      user({ role, role_type: roleType, custom_role_id: 77, email: 'ann@acme.test' }),
    );
    const told = { ok: true, role, userId: 5, customRoleId: 77, roleType };
    expect(await verifyCredential(rig.client)).toEqual(told);
  });

  it('accepts a token that may read tickets but not its own user', async () => {
    await using rig = await openRig((request, response) =>
      request.url.includes('/users/me')
        ? answer(response, 403, { error: 'Forbidden' })
        : answer(response, 200, { tickets: [] }),
    );
    expect(await verifyCredential(rig.client)).toMatchObject({ ok: true, role: null, userId: null });
  });

  it.each([
    ['an anonymous 200', user({ id: null, name: 'Anonymous user', role: 'end-user' }), 'ANONYMOUS'],
    ['a user without id', user({ id: undefined }), 'ANONYMOUS'],
    ['an end user', user({ role: 'end-user' }), 'NOT_AN_AGENT'],
    ['a suspended agent', user({ suspended: true }), 'SUSPENDED'],
    ['a deleted agent', user({ active: false }), 'DELETED'],
    ['401', status(401, { error: "Couldn't authenticate you" }), 'REFUSED'],
    ['403 twice', status(403, '<html>'), 'FORBIDDEN'],
    [
      'an unknown subdomain',
      status(404, { error: { title: 'No help desk at x.zendesk.com' } }),
      'NO_HELP_DESK',
    ],
    ['another 404', status(404, ''), 'UNUSABLE_ANSWER'],
    ['a redirect', status(301, '', { location: 'https://evil.test/' }), 'REDIRECTED'],
    ['a failure', status(500, '<html>'), 'UNREACHABLE'],
    ['a pause', status(429, '', { 'retry-after': '900' }), 'RATE_LIMITED'],
    ['a web page', status(200, '<html>Welcome'), 'UNUSABLE_ANSWER'],
    ['other JSON', status(200, { hello: 'world' }), 'UNUSABLE_ANSWER'],
  ] as const)('says of %s that it is no good, why, and what to do', async (_title, script, reason) => {
    await using rig = await openRig(script);
    const check = await verifyCredential(rig.client);
    expect(check).toMatchObject({ ok: false, reason });
    if (!check.ok) expect([check.message, check.remedy].every((text) => text.endsWith('.'))).toBe(true);
  });

  it('says when nobody listens at the address', async () => {
    await using rig = await openRig(user({}));
    await rig.server[Symbol.asyncDispose]();
    expect(await verifyCredential(rig.client)).toMatchObject({ ok: false, reason: 'UNREACHABLE' });
  });

  it('throws what is not about the credential', async () => {
    const authorize = async (): Promise<never> => {
      throw new SealdeskError('KMS_UNAVAILABLE', 'The keys are out of reach.');
    };
    await using rig = await openRig(user({}), { authorize });
    await expect(verifyCredential(rig.client)).rejects.toMatchObject({ code: 'KMS_UNAVAILABLE' });
    await expect(
      verifyCredential(rig.client, { signal: AbortSignal.abort(new Error('gone')) }),
    ).rejects.toThrow('gone');
  });
});
