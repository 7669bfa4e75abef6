/**
 * Keeps connections that nobody uses: a refresh token ends after at most 90 days, and a call renews it only where
 * there are calls. Every process looks now and then for connections whose access token is over and whose refresh
 * token ends soon, or is not known to last, and renews them; the claim on the row lets one of them do it.
 */
import type { KeptConnections } from '../../proxy/index.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { ENDING_SOON_MS } from './connection-view.ts';

export interface KeepConnectedOptions {
  /** Milliseconds between two looks, an eighth more or less; default an hour. */
  readonly interval?: number;
  /** 0 ≤ x < 1. */
  readonly random?: () => number;
}

type Deps = Pick<ServiceDeps, 'store' | 'clock' | 'log'> & { readonly connections: KeptConnections };

interface Neglected {
  readonly integrationId: string;
  readonly tenantId: string;
  readonly subdomain: string;
  readonly credentialId: string;
}

const HOUR_MS = 3_600_000;
const PAGE = 100;

/** One per process. Disposing waits for the renewal under way. */
export function openConnectionKeeper(deps: Deps, options: KeepConnectedOptions = {}): AsyncDisposable {
  const { interval = HOUR_MS, random = Math.random } = options;
  const stopped = new AbortController();
  const { signal } = stopped;
  const running = (async () => {
    while (!signal.aborted) {
      await deps.clock.wait(interval * (0.875 + random() / 4), signal).catch(() => undefined);
      if (signal.aborted) return;
      await keepConnected(deps, signal).catch((error: unknown) =>
        deps.log.warn('Connections that end soon could not be looked for', {
          error: error instanceof Error ? error : undefined,
        }),
      );
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stopped.abort();
      await running;
    },
  };
}

/** Looks once, and renews one after the other. What fails is tried again at the next look. */
export async function keepConnected(deps: Deps, signal: AbortSignal): Promise<void> {
  const { connections, log } = deps;
  let after = '';
  for (;;) {
    const found = await findNeglected(deps, after);
    for (const { integrationId, ...target } of found) {
      if (signal.aborted) return;
      after = integrationId;
      await connections.keepUp(target).catch((error: unknown) =>
        log.warn('A connection that ends soon could not be renewed', {
          integrationId,
          error: error instanceof Error ? error : undefined,
        }),
      );
    }
    if (found.length < PAGE) return;
  }
}

async function findNeglected({ store, clock }: Deps, after: string): Promise<readonly Neglected[]> {
  const now = clock.now();
  return store.withSystem('connection-reading', async (tx) => {
    const rows = await tx
      .selectFrom('integrations as i')
      .innerJoin('credentials as c', (join) =>
        join.onRef('c.id', '=', 'i.credential_id').onRef('c.tenant_id', '=', 'i.tenant_id'),
      )
      .innerJoin('access_tokens as t', (join) =>
        join.onRef('t.credential_id', '=', 'c.id').onRef('t.credential_version', '=', 'c.version'),
      )
      .select(['i.id', 'i.tenant_id', 'i.subdomain', 'c.id as credential_id'])
      // Also of those that an admin switched off for a while: they are not to be connected again for it.
      .where('i.reconnect_reason', 'is', null)
      .where('c.type', '=', 'oauth2_token')
      .where('t.expires_at', '<=', new Date(now))
      .where((where) =>
        where.or([
          where('t.refresh_expires_at', 'is', null),
          where('t.refresh_expires_at', '<=', new Date(now + ENDING_SOON_MS)),
        ]),
      )
      .where('i.id', '>', after)
      .orderBy('i.id')
      .limit(PAGE)
      .execute();
    return rows.map((row) => ({
      integrationId: row.id,
      tenantId: row.tenant_id,
      subdomain: row.subdomain,
      credentialId: row.credential_id,
    }));
  });
}
