import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createId } from '../../src/base/index.ts';
import { type Channel, notify, type Store } from '../../src/store/index.ts';
import { describeOnBothDatabases, openTestStore, type TestStore } from '../support/store.ts';

interface Heard {
  readonly channel: Channel;
  readonly id: string | null;
}

/** What a listener hears, to be awaited. */
async function openEar(store: Store, onHeard: (one: Heard) => void = () => undefined) {
  const heard: Heard[] = [];
  let waiting: { readonly fits: (one: Heard) => boolean; readonly resolve: () => void }[] = [];
  const listening = await store.listen((channel, id) => {
    heard.push({ channel, id });
    onHeard({ channel, id });
    waiting = waiting.filter(({ fits, resolve }) => {
      if (!heard.some(fits)) return true;
      resolve();
      return false;
    });
  });
  return {
    heard,
    async until(fits: (one: Heard) => boolean): Promise<void> {
      if (heard.some(fits)) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ fits, resolve });
      await promise;
    },
    [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose](),
  };
}

describeOnBothDatabases('A listener', (kind) => {
  let opened: TestStore;
  beforeAll(async () => {
    opened = await openTestStore(kind);
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  const tell = (id: string, fail = false) =>
    opened.store.withSystem('health', async (tx) => {
      await notify(tx, 'appended', id);
      if (fail) throw new Error('rolled back');
    });
  /** On PostgreSQL listening begins when its connection stands, which is told by ids that are null. */
  const untilListening = async (ear: Awaited<ReturnType<typeof openEar>>) => {
    if (kind === 'postgres') await ear.until(({ channel, id }) => channel === 'rights' && id === null);
  };

  test('hears what a transaction told once it is committed, and nothing of one that is not', async () => {
    await using ear = await openEar(opened.store);
    await untilListening(ear);
    const [undone, told] = [createId('integration'), createId('integration')];
    await expect(tell(undone, true)).rejects.toThrow('rolled back');
    await tell(told);
    await ear.until(({ id }) => id === told);
    expect(ear.heard).toContainEqual({ channel: 'appended', id: told });
    expect(ear.heard.some(({ id }) => id === undone)).toBe(false);
  });

  test('may use the store where it hears of something', async () => {
    const { promise: used, resolve, reject } = Promise.withResolvers<unknown>();
    await using ear = await openEar(opened.store, ({ id }) => {
      if (id !== null) opened.store.withSystem('health', async () => id).then(resolve, reject);
    });
    await untilListening(ear);
    const id = createId('integration');
    await tell(id);
    expect(await used).toBe(id);
  });

  test('hears nothing more once it is disposed, and may be disposed twice', async () => {
    const ear = await openEar(opened.store);
    await untilListening(ear);
    await ear[Symbol.asyncDispose]();
    await ear[Symbol.asyncDispose]();
    await using other = await openEar(opened.store);
    await untilListening(other);
    const id = createId('integration');
    await tell(id);
    await other.until((one) => one.id === id);
    expect(ear.heard.some((one) => one.id === id)).toBe(false);
  });

  if (kind === 'postgres') {
    test('comes back when its connection is cut, and says that it may have missed something', async () => {
      await using ear = await openEar(opened.store);
      await untilListening(ear);
      ear.heard.length = 0;
      const client = new pg.Client({ connectionString: opened.connectionString ?? '' });
      await client.connect();
      await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name = 'sealdesk notifications' AND datname = current_database()`,
      );
      await client.end();
      await ear.until(({ channel, id }) => channel === 'rights' && id === null);
      const id = createId('integration');
      await tell(id);
      await ear.until((one) => one.id === id);
    });
  }
});
