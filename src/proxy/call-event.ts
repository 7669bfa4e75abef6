import { isIP } from 'node:net';
import type { Caller } from '../access/index.ts';
import type { NewAuditEvent } from '../audit/index.ts';
import type { Call } from './call.ts';

/** The members that every event of a call has: who, which request, from where, part of what. */
export function describeCall(
  call: Omit<Call, 'caller'> & { readonly caller: Pick<Caller, 'kind' | 'id'> | null },
): Pick<NewAuditEvent, 'actor' | 'requestId' | 'requestSha256' | 'ip' | 'parentId'> {
  return {
    actor:
      call.caller === null
        ? { type: 'SYSTEM', id: 'anonymous' }
        : { type: call.caller.kind, id: call.caller.id },
    requestId: call.requestId,
    requestSha256: call.requestSha256,
    // What a proxy in front forwards as an address may be anything.
    ...(call.ip === null || isIP(call.ip) === 0 ? {} : { ip: call.ip }),
    ...(call.parentEventId === null ? {} : { parentId: call.parentEventId }),
  };
}
