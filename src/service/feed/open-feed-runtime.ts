import type { ServiceDeps } from '../service-deps.ts';
import type { FeedRuntime } from './feed-runtime.ts';
import { createFeedSealer } from './feed-sealer.ts';
import { createPositionSealer } from './position-sealer.ts';
import { StreamTails, type TailTimes } from './stream-tails.ts';
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
  const sessions = resources.use(new TicketSessions({ ...deps, positions, tails }));
  const wakers = new Set<(integrationId: string | null) => void>();
  resources.use(
    await deps.store.listen((channel, id) => {
      switch (channel) {
        case 'appended':
          return tails.hint(id);
        case 'rights':
          return sessions.hint(id);
        case 'marked':
          for (const wake of wakers) wake(id);
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
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  });
}
