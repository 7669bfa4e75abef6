import { SyncTails } from '../access-sync/sync-tails.ts';
import { AuditTails } from '../audit/audit-tails.ts';
import type { ServiceDeps } from '../service-deps.ts';
import type { FeedRuntime } from './feed-runtime.ts';
import { createFeedSealer } from './feed-sealer.ts';
import { createPositionSealer } from './position-sealer.ts';
import { DEFAULT_TAIL_TIMES, StreamTails, type TailTimes } from './stream-tails.ts';
import { TicketSessions } from './ticket-sessions.ts';

export interface FeedRuntimeOptions extends Pick<ServiceDeps, 'store' | 'keyring' | 'clock' | 'log'> {
  readonly times?: Partial<TailTimes>;
}

/** The tails and sessions of a process; one per process. Disposing ends every session. */
export async function openFeedRuntime(options: FeedRuntimeOptions): Promise<FeedRuntime> {
  const { times, ...deps } = options;
  await using resources = new AsyncDisposableStack();
  const sealer = createFeedSealer(deps);
  const positions = createPositionSealer({ ...deps, sealer });
  const tails = resources.use(
    new StreamTails({ ...deps, positions, ...(times === undefined ? {} : { times }) }),
  );
  const auditTails = resources.use(new AuditTails({ ...deps, times: { ...DEFAULT_TAIL_TIMES, ...times } }));
  const syncTails = resources.use(new SyncTails({ ...deps, times: { ...DEFAULT_TAIL_TIMES, ...times } }));
  const sessions = resources.use(new TicketSessions({ ...deps, positions, tails, auditTails, syncTails }));
  const wakers = new Set<(integrationId: string | null) => void>();
  const exportWakers = new Set<() => void>();
  const tokenWakers = new Set<(credentialId: string | null) => void>();
  const syncWakers = new Set<() => void>();
  resources.use(
    await deps.store.listen((channel, id) => {
      switch (channel) {
        case 'appended':
          return tails.hint(id);
        case 'rights':
          return sessions.hint(id);
        case 'keys':
          if (id !== null) deps.keyring.forget(id);
          return;
        case 'marked':
          for (const wake of wakers) wake(id);
          return;
        case 'audited':
          return auditTails.hint(id);
        case 'exports':
          for (const wake of exportWakers) wake();
          return;
        case 'tokens':
          for (const wake of tokenWakers) wake(id);
          return;
        case 'syncs':
          syncTails.hint(id);
          for (const wake of syncWakers) wake();
          return;
        default:
          return channel satisfies never;
      }
    }),
  );
  const kept = resources.move();
  return Object.freeze<FeedRuntime>({
    sealer,
    openSession: (call, session) => sessions.open(call, session),
    onMarked(wake) {
      wakers.add(wake);
      return () => wakers.delete(wake);
    },
    onExportWanted(wake) {
      exportWakers.add(wake);
      return () => exportWakers.delete(wake);
    },
    onTokens(wake) {
      tokenWakers.add(wake);
      return () => tokenWakers.delete(wake);
    },
    onSyncChange(wake) {
      syncWakers.add(wake);
      return () => syncWakers.delete(wake);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  });
}
