/**
 * Client keys in IndexedDB: this origin's own, on this device, until the user clears the site's data (ask
 * for `navigator.storage.persist()` where that matters). CryptoKeys are stored as such, so that a
 * non-extractable key stays non-extractable on its way in and out.
 */
import type { ClientKey } from './client-key.ts';

const DATABASE = 'sealdesk';
const STORE = 'client-keys';
const DEFAULT_NAME = 'default';

/** What is used of IndexedDB; Node has none, so its types are not asked for. */
interface Outcome<Result> {
  readonly result: Result;
  readonly error: unknown;
  onsuccess: ((event: never) => unknown) | null;
  onerror: ((event: never) => unknown) | null;
}

interface ObjectStore {
  put(value: unknown, key: string): Outcome<unknown>;
  get(key: string): Outcome<unknown>;
  delete(key: string): Outcome<unknown>;
}

interface Transaction {
  readonly error: unknown;
  objectStore(name: string): ObjectStore;
  oncomplete: ((event: never) => unknown) | null;
  onabort: ((event: never) => unknown) | null;
}

interface Database {
  createObjectStore(name: string): unknown;
  transaction(store: string, mode: 'readonly' | 'readwrite'): Transaction;
  close(): void;
}

interface OpenRequest extends Outcome<Database> {
  onupgradeneeded: ((event: never) => unknown) | null;
}

interface Factory {
  open(name: string, version: number): OpenRequest;
}

function openDatabase(): Promise<Database> {
  const { promise, resolve, reject } = Promise.withResolvers<Database>();
  const factory: Factory | undefined = Reflect.get(globalThis, 'indexedDB');
  if (factory === undefined) {
    throw new Error('This platform has no IndexedDB: keep the client key another way.');
  }
  const request = factory.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
  return promise;
}

/** One act in one transaction; resolves when it is on disk as far as the browser promises. */
async function within<Result>(
  mode: 'readonly' | 'readwrite',
  act: (store: ObjectStore) => Outcome<Result>,
): Promise<Result> {
  const database = await openDatabase();
  try {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const transaction = database.transaction(STORE, mode);
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    const outcome = act(transaction.objectStore(STORE));
    await promise;
    return outcome.result;
  } finally {
    database.close();
  }
}

/** Keeps `key` under `name`, in place of what was there. */
export async function saveClientKey(key: ClientKey, name: string = DEFAULT_NAME): Promise<void> {
  await within('readwrite', (store) => store.put(key, name));
}

function isClientKey(value: unknown): value is ClientKey {
  return typeof value === 'object' && value !== null && Reflect.get(value, 'version') === 1;
}

/** The key under `name`, or `null`. Throws Error for a record that a newer version wrote. */
export async function loadClientKey(name: string = DEFAULT_NAME): Promise<ClientKey | null> {
  const value = await within('readonly', (store) => store.get(name));
  if (value === undefined) return null;
  if (!isClientKey(value))
    throw new Error('The stored client key was written by another version of Sealdesk.');
  return Object.freeze(value);
}

/** Forgets the key under `name` for ever: envelopes that are sealed to it can't be opened any more. */
export async function deleteClientKey(name: string = DEFAULT_NAME): Promise<void> {
  await within('readwrite', (store) => store.delete(name));
}
