/** What the commands for the gateway's own keys ask a running gateway, and how they show its answers. */
import { z } from 'zod';
import { systemClock } from '../base/index.ts';
import { readConfig } from '../config.ts';
import { UsageError } from './command-error.ts';
import {
  CONNECTION_OPTIONS,
  type ConnectionValues,
  parseGatewayUrl,
  readApiKey,
} from './connection-options.ts';
import { askGateway, type GatewayAddress, tenantIdAnswer } from './gateway-call.ts';
import type { Terminal } from './terminal.ts';

const POLL_MS = 2_000;

export const SERVER_KEY_OPTIONS = {
  ...CONNECTION_OPTIONS,
  tenant: { type: 'string', value: 'ID', help: 'another tenant than that of the API key, for OPERATOR' },
  json: { type: 'boolean', help: 'print JSON' },
} as const;

export interface ServerKeyValues extends ConnectionValues {
  readonly 'insecure-http': boolean;
  readonly tenant: string | undefined;
  readonly json: boolean;
}

const time = z.iso.datetime();
const count = z.int().nonnegative();
const kid = z.string().regex(/^[\w-]{43}$/);
const reference = z.string().regex(/^[\w:/.-]{1,2048}$/);

export const signingKeyAnswer = z.object({
  kid,
  version: count,
  status: z.enum(['PENDING', 'ACTIVE', 'RETIRED', 'REVOKED']),
  notBefore: time,
  notAfter: time.nullable(),
});
export const rotationAnswer = z.object({
  what: z.enum(['VAULT', 'KMS']),
  from: z.array(reference),
  to: reference,
  state: z.enum(['RUNNING', 'DONE', 'SUPERSEDED']),
  total: count,
  remaining: count.nullable(),
  failure: z
    .string()
    .regex(/^[A-Z_]{1,64}$/)
    .nullable(),
  startedAt: time,
  finishedAt: time.nullable(),
});
const statusAnswer = z.object({
  keyStatus: z.object({
    tenantId: tenantIdAnswer,
    kmsKeyArn: reference.nullable(),
    signingKeys: z.array(signingKeyAnswer),
    vaultKeys: z.array(z.object({ version: count, credentials: count, accessTokens: count })),
    kmsKeys: z.array(
      z.object({ kmsKeyRef: reference, secrets: count, credentials: count, accessTokens: count }),
    ),
    rotations: z.array(rotationAnswer),
  }),
});

export type SigningKeyAnswer = z.infer<typeof signingKeyAnswer>;
export type RotationAnswer = z.infer<typeof rotationAnswer>;
export type KeyStatusAnswer = z.infer<typeof statusAnswer>['keyStatus'];

export const SIGNING_KEY_FIELDS = 'kid version status notBefore notAfter';
export const ROTATION_FIELDS = 'what from to state total remaining failure startedAt finishedAt';
const STATUS = {
  query: `query SealdeskKeyStatus($tenantId: ID) { keyStatus(tenantId: $tenantId) {
    tenantId kmsKeyArn signingKeys { ${SIGNING_KEY_FIELDS} } vaultKeys { version credentials accessTokens }
    kmsKeys { kmsKeyRef secrets credentials accessTokens } rotations { ${ROTATION_FIELDS} } } }`,
  answer: statusAnswer,
};

/** Where to ask: at `--url`, else at SEALDESK_PUBLIC_URL. Throws UsageError without an API key. */
export async function gatewayOf(
  values: ServerKeyValues,
  terminal: Terminal,
  name: string,
): Promise<GatewayAddress & { readonly apiKey: string }> {
  const apiKey = await readApiKey(values, terminal);
  if (apiKey === null) {
    throw new UsageError(`--api-key (or --api-key-file) is missing. See sealdesk ${name} --help.`);
  }
  const url = parseGatewayUrl(values.url ?? readConfig().publicUrl);
  return { url, apiKey, insecureHttp: values['insecure-http'] };
}

export function tenantVariable({ tenant }: Pick<ServerKeyValues, 'tenant'>): { readonly tenantId?: string } {
  return tenant === undefined ? {} : { tenantId: tenant };
}

export async function askKeyStatus(
  address: GatewayAddress,
  values: Pick<ServerKeyValues, 'tenant'>,
): Promise<KeyStatusAnswer> {
  return (await askGateway(address, STATUS, tenantVariable(values))).keyStatus;
}

export function describeSigningKey(key: SigningKeyAnswer): string {
  const end = key.notAfter === null ? '' : ` until ${key.notAfter}`;
  return `${key.kid}  ${key.status.padEnd(7)}  version ${key.version}, from ${key.notBefore}${end}`;
}

/** The exit code after waiting: 1 where something is left that cannot be re-wrapped. */
export function exitCodeOf({ rotations }: KeyStatusAnswer): number {
  return rotations.some(({ state, remaining }) => state === 'RUNNING' && remaining !== 0) ? 1 : 0;
}

export function describeRotation(rotation: RotationAnswer): string {
  const { what, from, to, state, total, remaining, failure } = rotation;
  const key = what === 'VAULT' ? 'vault key' : 'KMS key';
  const way = `${key}: ${from.length === 0 ? 'nothing' : from.join(', ')} -> ${to}`;
  const done = remaining === null ? '' : `, ${Math.max(0, total - remaining)} of ${total} records re-wrapped`;
  const waiting = state === 'RUNNING' && remaining === 0 ? '; the old key is done with in some minutes' : '';
  const trouble = failure === null ? '' : `; the last attempt met ${failure}`;
  return `${way}  ${state}${done}${waiting}${trouble}`;
}

/**
 * Prints how far the rotations that are under way are, until none has anything left to re-wrap, or what is left
 * was altered and will not be. Resolves to the last status.
 */
export async function watchRotations(
  address: GatewayAddress,
  values: ServerKeyValues,
  terminal: Terminal,
): Promise<KeyStatusAnswer> {
  const told = new Map<string, string>();
  for (;;) {
    const status = await askKeyStatus(address, values);
    const running = status.rotations.filter(({ state }) => state === 'RUNNING');
    for (const rotation of running) {
      const line = describeRotation(rotation);
      if (told.get(rotation.what) !== line && !values.json) terminal.print(line);
      told.set(rotation.what, line);
    }
    if (running.every(({ remaining, failure }) => remaining === 0 || failure === 'INTERNAL')) return status;
    await systemClock.wait(POLL_MS);
  }
}
