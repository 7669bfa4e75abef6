/**
 * Jobs between the processes of an installation: pg-boss over the store's own connections, in the schema `pgboss`
 * of the same database, which it makes and migrates itself. A job is an order to look at a row of ours: it carries
 * ids only, and who takes it finds in the row whether there is still something to do. A job may therefore come
 * twice, and one that is lost is sent again by whoever looks at the rows.
 */
import { PgBoss } from 'pg-boss';
import type { Log } from '../../base/index.ts';
import type { Store } from '../../store/index.ts';

/** Seconds. */
const TIMES = Object.freeze({
  /** Between two looks for jobs without being woken. */
  poll: 2,
  /** How long a job may run; its worker stops earlier. */
  expire: 900,
  /** For which a finished job is kept. */
  keep: 3_600,
});
const STOP_MS = 5_000;

export interface JobQueue<Job extends object> extends AsyncDisposable {
  /** Hands `job` to whichever process is free; nothing happens while one of the same `key` waits. */
  send(key: string, job: Job): Promise<void>;
}

export interface JobQueueOptions<Job extends object> {
  readonly store: Store;
  readonly log: Log;
  readonly name: string;
  /** Jobs of this process at once. */
  readonly concurrency: number;
  /** May not reject. */
  readonly run: (job: Job) => Promise<void>;
}

/** Opens the queue and takes jobs from it. Rejects where the database lets no schema be made. */
export async function openJobQueue<Job extends object>(
  options: JobQueueOptions<Job>,
): Promise<JobQueue<Job>> {
  const { store, log, name, concurrency, run } = options;
  const boss = new PgBoss({
    db: { executeSql: (text, values = []) => store.executeForJobs(text, values) },
    backend: store.kind,
    schema: 'pgboss',
    // Schedules are rows of ours; what is listened to is the store's.
    schedule: false,
    useListenNotify: false,
    registerInstance: false,
    reindex: false,
    monitorVacuum: false,
  });
  boss.on('error', (error) => log.warn('The job queue could not be looked after', { error }));
  await using resources = new AsyncDisposableStack();
  resources.defer(() => boss.stop({ graceful: true, timeout: STOP_MS }));
  await boss.start();
  const { expire: expireInSeconds, keep: deleteAfterSeconds } = TIMES;
  // Of one key one job may wait, however many run: that of a process that died must not stand in the way.
  await boss.createQueue(name, { policy: 'short', retryLimit: 0, expireInSeconds, deleteAfterSeconds });
  const worker = await boss.work<Job>(
    name,
    { pollingIntervalSeconds: TIMES.poll, localConcurrency: concurrency, batchSize: 1 },
    async (jobs) => {
      for (const { data } of jobs) await run(data);
    },
  );
  const kept = resources.move();
  return Object.freeze<JobQueue<Job>>({
    async send(key, job) {
      const id = await boss.send(name, job, { singletonKey: key });
      if (id !== null) boss.notifyWorker(worker);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  });
}
