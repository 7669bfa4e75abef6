/**
 * Answers that a stranger or a runaway client can cause at will (bad keys, exhausted rates, operations
 * without a key). They are counted, and recorded once a minute for each cause, so that they cannot
 * flood the log: the first one writes an event, later ones in the same minute name it, and the next
 * event carries how many there were.
 */
import type { NewAuditEvent } from '../audit/index.ts';
import { createId } from '../base/index.ts';
import { type Call, describeCall } from '../proxy/index.ts';
import { recordEvent } from './record-event.ts';
import type { ServiceDeps } from './service-deps.ts';

const WINDOW_MS = 60_000;
const MAX_CAUSES = 1_000;

interface Window {
  readonly startedAt: number;
  readonly eventId: Promise<string>;
  suppressed: number;
}

/** Records a refusal by its code, `null` where nothing was refused, and resolves to the id of the event that stands for it. */
export type RecordRefusal = (call: Call, code: string | null) => Promise<string>;

/** `installationId` is whose log takes the refusals of callers without a tenant. */
export function createRefusalRecorder(
  deps: Pick<ServiceDeps, 'store' | 'keyring' | 'clock'>,
  installationId: string,
): RecordRefusal {
  const { clock } = deps;
  const windows = new Map<string, Window>();

  async function write(call: Call, code: string | null, count: number): Promise<string> {
    const tenantId = call.caller?.tenantId ?? installationId;
    const id = createId('auditEvent', clock.now());
    const event: NewAuditEvent = {
      ...describeCall({ ...call, parentEventId: null }),
      id,
      occurredAt: new Date(clock.now()).toISOString(),
      phase: 'SINGLE',
      ...(code === null
        ? { outcome: 'SUCCEEDED', action: 'request.answer' }
        : { outcome: 'DENIED', action: 'request.refuse', denialReason: code }),
      count,
    };
    await recordEvent(deps, tenantId, event);
    return id;
  }

  return async (call, code) => {
    const cause = `${code ?? ''} ${call.caller?.id ?? ''}`;
    const now = clock.now();
    const current = windows.get(cause);
    if (current !== undefined && now - current.startedAt < WINDOW_MS) {
      current.suppressed += 1;
      return current.eventId;
    }
    const eventId = write(call, code, (current?.suppressed ?? 0) + 1);
    windows.delete(cause);
    windows.set(cause, { startedAt: now, eventId, suppressed: 0 });
    if (windows.size > MAX_CAUSES) windows.delete(windows.keys().next().value ?? cause);
    // A refusal that could not be recorded does not stand for later ones.
    eventId.catch(() => windows.delete(cause));
    return eventId;
  };
}
