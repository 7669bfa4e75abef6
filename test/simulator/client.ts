/** Opens a simulator on a clock that stands still until told otherwise, with a small HTTP client for it. */
import {
  DEFAULT_API_TOKEN,
  openSimulator,
  type Simulator,
  type SimulatorOptions,
} from '../../simulator/index.ts';

export const NOW = Date.UTC(2026, 10, 21, 6, 0, 0);

export const basic = (email: string, token: string = DEFAULT_API_TOKEN): string =>
  `Basic ${Buffer.from(`${email}/token:${token}`).toString('base64')}`;

export const ADMIN = basic('admin@example.test');

export class ManualClock {
  #now = NOW;

  now(): number {
    return this.#now;
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; undefined when it isn't JSON. */
  readonly body: Record<string, unknown>;
}

export interface CallOptions {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** null sends no Authorization header. */
  readonly authorization?: string | null;
  readonly signal?: AbortSignal;
}

export interface Session extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly clock: ManualClock;
  call(path: string, options?: CallOptions): Promise<Answer>;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads a nested object; throws when the answer has another shape. */
export const objectAt = (value: unknown, ...path: readonly string[]): Record<string, unknown> => {
  let current: unknown = value;
  for (const key of path) current = isObject(current) ? current[key] : undefined;
  if (!isObject(current))
    throw new TypeError(`no object at ${path.join('.')}: ${JSON.stringify(value)?.slice(0, 300)}`);
  return current;
};

export const listAt = (value: unknown, key: string): Record<string, unknown>[] => {
  const list = isObject(value) ? value[key] : undefined;
  if (!Array.isArray(list)) throw new TypeError(`no list at ${key}: ${JSON.stringify(value)?.slice(0, 300)}`);
  return list.filter(isObject);
};

export const idsAt = (value: unknown, key: string): number[] =>
  listAt(value, key).map((row) => Number(row['id']));

export const openSession = async (options: SimulatorOptions = {}): Promise<Session> => {
  const clock = new ManualClock();
  const simulator = await openSimulator({ tickets: 600, clock, ...options });
  return {
    simulator,
    clock,
    async call(path, call = {}) {
      const headers: Record<string, string> = { accept: 'application/json', ...call.headers };
      const authorization = call.authorization === undefined ? ADMIN : call.authorization;
      if (authorization !== null) headers['authorization'] = authorization;
      const raw = typeof call.body === 'string' ? call.body : JSON.stringify(call.body);
      if (call.body !== undefined) headers['content-type'] ??= 'application/json';
      const response = await fetch(`${simulator.url}${path}`, {
        method: call.method ?? (call.body === undefined ? 'GET' : 'POST'),
        headers,
        ...(call.body === undefined ? {} : { body: raw }),
        ...(call.signal === undefined ? {} : { signal: call.signal }),
      });
      const text = await response.text();
      let body: unknown;
      if (response.headers.get('content-type')?.includes('json')) body = JSON.parse(text);
      return { status: response.status, headers: response.headers, text, body: isObject(body) ? body : {} };
    },
    [Symbol.asyncDispose]: () => simulator[Symbol.asyncDispose](),
  };
};
