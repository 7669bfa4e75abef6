import { sql } from 'kysely';
import { listAlarms } from '../audit/index.ts';
import type { ServiceDeps } from './service-deps.ts';

/** How long an answer of the database and the KMS stands, so that probes cannot load them. */
const FRESH_MS = 5_000;

export interface Readiness {
  readonly database: boolean;
  readonly keys: boolean;
  /** No alarm of any audit log stands. */
  readonly audit: boolean;
}

/** Whether calls can be answered now. Asked again at most every five seconds, by all probes together. */
export function createReadinessCheck(
  { store, kms, keyring, clock }: ServiceDeps,
  installationId: string,
): () => Promise<Readiness> {
  let checkedAt = Number.NEGATIVE_INFINITY;
  let latest: Promise<Readiness> | null = null;
  return () => {
    if (latest === null || clock.now() - checkedAt > FRESH_MS) {
      checkedAt = clock.now();
      latest = check();
    }
    return latest;
  };

  async function check(): Promise<Readiness> {
    const [database, keys, audit] = await Promise.all([
      store
        .withSystem('health', (tx) => sql`SELECT 1`.execute(tx))
        .then(
          () => true,
          () => false,
        ),
      // That the service answers is not enough: its key must be the one that wrapped what is stored.
      Promise.all([kms.describeKey({ keyRef: null }), keyring.keysOf(installationId)]).then(
        ([{ enabled }]) => enabled,
        () => false,
      ),
      store
        .withSystem('audit-watch', (tx) => listAlarms(tx, 1))
        .then(
          (alarms) => alarms.length === 0,
          // That the database cannot be asked is told beside.
          () => true,
        ),
    ]);
    return { database, keys, audit };
  }
}
