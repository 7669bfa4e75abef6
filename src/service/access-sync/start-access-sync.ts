/** Asking for a run, and for its end. */
import { z } from 'zod';
import { createId, SealdeskError } from '../../base/index.ts';
import {
  cancelSyncRun,
  findSyncRun,
  holdOpenSyncRun,
  insertSyncRun,
  readSyncState,
} from '../../directory/index.ts';
import { type Call, credentialOf } from '../../proxy/index.ts';
import { notify } from '../../store/index.ts';
import { audited, notFound } from '../audited.ts';
import { idField, parseInput } from '../input.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { admitSync, reachSync } from './admit-sync.ts';
import { type AccessSyncRunView, toRunView } from './sync-view.ts';

export interface AccessSyncChange {
  readonly run: AccessSyncRunView;
  readonly auditEventId: string;
}

const StartInput = z.strictObject({
  integrationId: idField('integration'),
  full: z.boolean().nullish(),
});
const CancelInput = z.strictObject({ runId: idField('run') });

/**
 * Asks for a run: of what changed since the last one, or of everything where `full` is set or nothing was synced yet.
 * For ADMIN. Rejects with VALIDATION_FAILED, NOT_FOUND, OPERATION_NOT_ALLOWED, and with CONFLICT where the
 * integration is switched off, has no credential or is being synced.
 */
export async function startAccessSync(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<AccessSyncChange> {
  const { clock } = deps;
  const id = createId('run', clock.now());
  const act = { action: 'access-sync.start', roles: ['ADMIN'], resource: id } as const;
  return audited(deps, call, act, async (step, authenticated) => {
    const { integrationId, full } = parseInput(StartInput, input);
    const { tenantId } = step;
    const run = await step.commit(
      async (tx) => {
        credentialOf(await admitSync(tx, authenticated, integrationId));
        const key = { tenantId, integrationId };
        const { usersCursor } = await readSyncState(tx, key);
        const made = await insertSyncRun(tx, {
          ...key,
          id,
          kind: full === true || usersCursor === null ? 'FULL' : 'INCREMENTAL',
          trigger: 'REQUEST',
          requestedBy: authenticated.caller.id,
          now: new Date(clock.now()),
        });
        if (made === null) throw underWay((await holdOpenSyncRun(tx, key))?.id);
        await notify(tx, 'syncs', id);
        return made;
      },
      () => ({ integrationId }),
    );
    return { run: toRunView(run), auditEventId: step.eventId };
  });
}

/** Asks for the end of a run: it stops after the page under way. What it stored stays. For ADMIN. Rejects with NOT_FOUND and CONFLICT. */
export async function cancelAccessSync(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<AccessSyncChange> {
  const act = { action: 'access-sync.cancel', roles: ['ADMIN'] } as const;
  return audited(deps, call, act, async (step, authenticated) => {
    const { runId } = parseInput(CancelInput, input);
    const key = { tenantId: step.tenantId, runId };
    const run = await step.commit(
      async (tx) => {
        const found = await findSyncRun(tx, key);
        if (found === null) throw notFound('run');
        await reachSync(tx, authenticated, found.integrationId);
        const cancelled = await cancelSyncRun(tx, key, new Date(deps.clock.now()));
        if (cancelled === null) throw new SealdeskError('CONFLICT', 'The run is over already.');
        await notify(tx, 'syncs', runId);
        return cancelled;
      },
      ({ integrationId }) => ({ resource: runId, integrationId }),
    );
    return { run: toRunView(run), auditEventId: step.eventId };
  });
}

function underWay(runId: string | undefined): SealdeskError {
  return new SealdeskError(
    'CONFLICT',
    'The integration is being synced. Follow that run, or end it with cancelAccessSync.',
    runId === undefined ? {} : { subject: runId },
  );
}
