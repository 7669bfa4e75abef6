import { SealdeskError, silentLog } from '../../src/base/index.ts';
import {
  createZendeskClient,
  openZendeskTransport,
  type TransportOptions,
  type ZendeskClient,
  type ZendeskClientOptions,
  type ZendeskRequest,
} from '../../src/zendesk/index.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';
import { createPausingLimiter } from './pausing-limiter.ts';
import { openScriptedServer, type Script, type ScriptedServer } from './scripted-server.ts';

export const SECRET = 'c2VjcmV0LXRva2VuLW9mLXRoZS10ZXN0';

export interface Rig extends AsyncDisposable {
  readonly server: ScriptedServer;
  readonly client: ZendeskClient;
  readonly clock: ManualClock;
}

/** A client against a scripted server, with a clock on which every wait below 20 seconds is over at once. */
export async function openRig(
  script: Script,
  options: Partial<ZendeskClientOptions> & { readonly transportOptions?: TransportOptions } = {},
): Promise<Rig> {
  const server = await openScriptedServer(script);
  const transport = openZendeskTransport(options.transportOptions);
  const clock = createManualClock((milliseconds) => milliseconds < 20_000);
  const client = createZendeskClient({
    origin: server.origin,
    transport,
    limiter: createPausingLimiter(options.clock ?? clock),
    authorize: async () => ({ authorization: `Bearer ${SECRET}` }),
    clock,
    log: silentLog,
    random: () => 0.5,
    ...options,
  });
  return {
    server,
    client,
    clock,
    async [Symbol.asyncDispose]() {
      await transport[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

export const READ = { method: 'GET', path: '/api/v2/tickets/1.json', mutation: false } as const;
export const CREATE = {
  method: 'POST',
  path: '/api/v2/tickets.json',
  body: { ticket: { subject: 'Leaky tap', comment: { body: 'It drips.', public: true } } },
  mutation: true,
} as const;
export const CREATE_ONCE = { ...CREATE, idempotencyKey: 'key-1' } as const;

/** The coded error that `work` rejects with. */
export async function failureOf(work: Promise<unknown>): Promise<SealdeskError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof SealdeskError) return error;
    throw error;
  }
  throw new Error('it was expected to fail');
}

export function requestOf(kind: 'read' | 'create' | 'create once'): ZendeskRequest {
  return kind === 'read' ? READ : kind === 'create' ? CREATE : CREATE_ONCE;
}
