/**
 * Exports of the log: an auditor asks for a range, a process checks it in the background, and it is fetched as
 * a bundle that proves itself. The log does not change, so an export is its range and a checkpoint, nothing more.
 */
import { z } from 'zod';
import {
  type AuditExport,
  countExports,
  findExport,
  insertExport,
  type NewAuditExport,
  readLogSize,
} from '../../audit/index.ts';
import { createId, isId, SealdeskError } from '../../base/index.ts';
import { type AuthenticatedCall, assertAuthenticated, type Call } from '../../proxy/index.ts';
import { notify } from '../../store/index.ts';
import { audited, notFound } from '../audited.ts';
import { invalidInput, parseInput } from '../input.ts';
import { readOwn } from '../read.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { checkpointNow } from './audit-proofs.ts';
import { bundleText } from './bundle-text.ts';

export type AuditExportView = Omit<AuditExport, 'tenantId' | 'epoch' | 'root' | 'note'>;

/** How long an export can be fetched after it was asked for. */
export const EXPORT_LIFETIME_MS = 86_400_000;
/** Of one tenant: exports that have not expired, and those of them that are being checked. */
export const EXPORT_LIMITS = Object.freeze({ kept: 50, checking: 4 });
const RETRY_AFTER_SECONDS = 10;

const indexField = z.int().min(0, 'must not be negative');
const ExportInput = z.strictObject({
  from: indexField.nullish(),
  to: indexField.nullish(),
  previousSize: indexField.nullish(),
});

/**
 * Begins an export of the events [from, to) under a checkpoint made now: from `previousSize`, or from the first,
 * and to the end where left out. For AUDITOR. Rejects with VALIDATION_FAILED and TOO_MANY_REQUESTS.
 */
export async function exportAudit(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<{ readonly export: AuditExportView; readonly auditEventId: string }> {
  const { clock } = deps;
  const id = createId('run', clock.now());
  const act = { action: 'audit.export', roles: ['AUDITOR'], resource: id } as const;
  return audited(deps, call, act, async ({ commit, eventId, tenantId }, { caller }) => {
    const asked = parseInput(ExportInput, input);
    const checkpoint = await checkpointNow(deps, tenantId);
    const { epoch, size, root, note } = checkpoint;
    const previousSize = asked.previousSize ?? null;
    const range = { from: asked.from ?? previousSize ?? 0, to: asked.to ?? size };
    assertRange({ ...range, previousSize, size });
    const now = clock.now();
    const made: NewAuditExport = {
      ...{ id, tenantId, requestedBy: caller.id, ...range, previousSize },
      ...{ epoch, size, root, note },
      ...{ createdAt: new Date(now), expiresAt: new Date(now + EXPORT_LIFETIME_MS) },
    };
    const begun = await commit(async (tx) => {
      // Counted under the lock of the log: of two that begin at once the second sees the first.
      await readLogSize(tx, tenantId, { lock: true });
      const { kept, checking } = await countExports(tx, tenantId, now);
      if (checking >= EXPORT_LIMITS.checking) throw tooManyChecked();
      if (kept >= EXPORT_LIMITS.kept) throw tooManyKept();
      const inserted = await insertExport(tx, made);
      await notify(tx, 'exports', tenantId);
      return inserted;
    });
    return { export: toExportView(begun), auditEventId: eventId };
  });
}

/** How an export stands. For AUDITOR. Rejects with NOT_FOUND. */
export async function getAuditExport(deps: ServiceDeps, call: Call, id: string): Promise<AuditExportView> {
  return readOwn(deps, call, ['AUDITOR'], async (tx, tenantId) => {
    const found = isId('run', id) ? await findExport(tx, tenantId, id, deps.clock.now()) : null;
    if (found === null) throw notFound('export');
    return toExportView(found);
  });
}

/**
 * The bundle of an export, in pieces of some lines; see docs/audit.md. Recorded before the first is made. For
 * AUDITOR. Rejects with NOT_FOUND, and with CONFLICT where it is not READY; the iteration throws where the log
 * cannot be read on or the API key has ended, and what was read is then no bundle.
 */
export async function downloadAuditExport(
  deps: ServiceDeps,
  call: Call,
  id: string,
): Promise<AsyncIterableIterator<string>> {
  assertAuthenticated(call);
  const act = {
    action: 'audit.download',
    roles: ['AUDITOR'],
    ...(isId('run', id) ? { resource: id } : {}),
  } as const;
  const found = await audited(deps, call, act, ({ commit, tenantId }) =>
    commit(async (tx) => {
      const wanted = isId('run', id) ? await findExport(tx, tenantId, id, deps.clock.now()) : null;
      if (wanted === null) throw notFound('export');
      assertReady(wanted);
      return wanted;
    }),
  );
  return bundleText(deps, call satisfies AuthenticatedCall, found);
}

function assertReady({ state, brokenIndex }: AuditExport): void {
  switch (state) {
    case 'READY':
      return;
    case 'CHECKING':
      throw new SealdeskError(
        'CONFLICT',
        'The export is still being checked. Ask auditExport(id) until its state is READY.',
        { retryAfter: 1 },
      );
    case 'FAILED':
      throw new SealdeskError(
        'CONFLICT',
        `The export has failed: the event at index ${brokenIndex} is not as it was logged. Tell the operator.`,
      );
    default:
      state satisfies never;
  }
}

interface AskedRange {
  readonly from: number;
  readonly to: number;
  readonly previousSize: number | null;
  readonly size: number;
}

function assertRange({ from, to, previousSize, size }: AskedRange): void {
  const beyond = `is beyond the log, which has ${size} events`;
  const wrong = [
    ...(previousSize !== null && previousSize > size ? [{ path: 'previousSize', message: beyond }] : []),
    ...(to > size ? [{ path: 'to', message: beyond }] : []),
    ...(from > to ? [{ path: 'from', message: to === size ? beyond : 'must not be above to' }] : []),
  ];
  if (wrong.length > 0) throw invalidInput(wrong);
}

function tooManyChecked(): SealdeskError {
  return new SealdeskError(
    'TOO_MANY_REQUESTS',
    `${EXPORT_LIMITS.checking} exports of this tenant are being checked. Wait until one is READY.`,
    { subject: String(EXPORT_LIMITS.checking), retryAfter: RETRY_AFTER_SECONDS },
  );
}

function tooManyKept(): SealdeskError {
  return new SealdeskError(
    'TOO_MANY_REQUESTS',
    `A tenant may have ${EXPORT_LIMITS.kept} exports a day. Fetch one of them again, or wait until one expires.`,
    { subject: String(EXPORT_LIMITS.kept), retryAfter: EXPORT_LIFETIME_MS / EXPORT_LIMITS.kept / 1000 },
  );
}

function toExportView(made: AuditExport): AuditExportView {
  const { tenantId: _, epoch: _epoch, root: _root, note: _note, ...view } = made;
  return view;
}
