/** Who calls, within what rate: the same for every way in. */
import { SealdeskError } from '../base/index.ts';
import type { Call, Services } from '../service/index.ts';
import type { Credential } from './credential.ts';

export type AdmittingServices = Pick<
  Services,
  'authenticate' | 'proveLogin' | 'redeemLogin' | 'takeFromRate'
>;

/**
 * The call of whoever `credential` is, of nobody without one; counted as one request of its key, or of its
 * address. `note` is told of the caller before anything is refused in its name. Rejects with UNAUTHENTICATED,
 * TOKEN_REUSED, TOO_MANY_REQUESTS, and, for a client key that may not log in, CLIENT_KEY_NOT_MAPPED, KEY_REVOKED
 * or FORBIDDEN.
 */
export async function admit(
  services: AdmittingServices,
  call: Call,
  credential: Credential | null,
  note: (call: Call) => void,
): Promise<Call> {
  switch (credential?.kind) {
    case undefined:
      services.takeFromRate(call);
      return call;
    case 'CONFLICTING':
      services.takeFromRate(call);
      throw new SealdeskError(
        'UNAUTHENTICATED',
        'A login token was sent with another key, and none was taken. Send an API key or a login token, in one place.',
      );
    case 'API_KEY': {
      const known = { ...call, caller: await services.authenticate(credential.text, call.ip) };
      note(known);
      services.takeFromRate(known);
      return known;
    }
    case 'LOGIN_TOKEN': {
      const login = await services.proveLogin(credential.text, call);
      const known = { ...call, caller: login.caller };
      note(known);
      services.takeFromRate(known);
      return { ...call, caller: await services.redeemLogin(login, call.ip) };
    }
    default:
      return credential satisfies never;
  }
}
