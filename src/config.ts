/**
 * The environment, read once into a checked, frozen object. The only reader of `process.env`.
 * Every setting has a default that is safe; a value that cannot be used is refused at start with
 * the setting's name and what it may be. `docs/configuration.md` is printed from {@link SETTINGS}.
 */
import { resolve } from 'node:path';
import { z } from 'zod';

interface Setting {
  readonly schema: z.ZodType<string | undefined>;
  /** What a value must be, after "must be". */
  readonly rule: string;
  readonly default: string;
  readonly meaning: string;
  /** Printed as set or unset only. */
  readonly secret?: true;
}

const text = z.string().min(1);
const port = z
  .string()
  .refine((value) => /^\d{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535);
const httpUrl = z.url({ protocol: /^https?$/ });

export const SETTINGS = Object.freeze({
  PORT: {
    schema: port,
    rule: 'a number from 1 to 65535',
    default: '4000',
    meaning: 'Port of the HTTP server.',
  },
  SEALDESK_HOST: {
    schema: text,
    rule: 'an address or a host name',
    default: '127.0.0.1',
    meaning: 'Address to listen on; 0.0.0.0 behind a TLS-terminating proxy.',
  },
  SEALDESK_PUBLIC_URL: {
    schema: httpUrl,
    rule: 'an http or https URL',
    default: 'http://localhost:{PORT}',
    meaning: 'How clients reach the gateway; written into welcome envelopes and the folder lock.',
  },
  DATABASE_URL: {
    schema: z.url({ protocol: /^postgres(ql)?$/ }),
    rule: 'a postgres:// URL',
    default: '(none: embedded PGlite)',
    meaning: 'PostgreSQL 15 or newer; many gateway processes may share it.',
    secret: true,
  },
  SEALDESK_DATA_DIR: {
    schema: text,
    rule: 'a path',
    default: '.sealdesk',
    meaning: 'Folder of the embedded database and the local key file.',
  },
  SEALDESK_DB_ROLE: {
    schema: z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/),
    rule: 'a lower-case identifier',
    default: 'sealdesk_tenant',
    meaning: 'Database role of all work for one tenant; created at start where it is missing.',
  },
  SEALDESK_KMS: {
    schema: z.enum(['local', 'aws']),
    rule: 'local or aws',
    default: 'local',
    meaning: '`aws` for AWS KMS; `local` keeps the root key in a file, for development.',
  },
  SEALDESK_KMS_KEY_FILE: {
    schema: text,
    rule: 'a path',
    default: '{SEALDESK_DATA_DIR}/kms.key',
    meaning: 'The local root key: 32 bytes, mode 0600, created when missing.',
  },
  SEALDESK_KMS_KEY_ARN: {
    schema: z.string().regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(?:key|alias)\/[A-Za-z0-9/_-]{1,256}$/),
    rule: 'the ARN of an AWS KMS key or alias',
    default: '(none)',
    meaning: 'Key ARN used for tenants that name no key of their own; needed with SEALDESK_KMS=aws.',
  },
  SEALDESK_KMS_ENDPOINT: {
    schema: httpUrl,
    rule: 'an http or https URL',
    default: '(the region’s own)',
    meaning: 'Another endpoint of the KMS API, such as a VPC endpoint.',
  },
  SEALDESK_ZENDESK_ORIGIN: {
    schema: z.string().regex(/^https?:\/\/[^/?#@\s]+$/),
    rule: 'an origin without path',
    default: 'https://{subdomain}.zendesk.com',
    meaning: 'Where Zendesk is; `{subdomain}` is replaced. Another value is for a simulator only.',
  },
  SEALDESK_ZENDESK_CLIENT_ID: {
    schema: z.string().regex(/^[\x21-\x7e]{1,255}$/),
    rule: '1 to 255 visible characters',
    default: '(none: named for each connection)',
    meaning:
      'A global OAuth client of Zendesk, with which connectZendesk asks for access where no other client is named.',
  },
  SEALDESK_ZENDESK_CLIENT_SECRET: {
    schema: z.string().regex(/^[\x21-\x7e]{1,1024}$/),
    rule: '1 to 1024 visible characters',
    default: '(none: a public client)',
    meaning: 'The secret of that client; none where it is public.',
    secret: true,
  },
  SEALDESK_CORS_ORIGINS: {
    schema: text,
    rule: 'origins such as https://app.example.com, separated by commas',
    default: '(none)',
    meaning:
      'Comma-separated origins whose pages may call the gateway, and which the page at the end of connectZendesk may link to.',
  },
  SEALDESK_TRUSTED_PROXIES: {
    schema: z.string().regex(/^\d{1,2}$/),
    rule: 'a number from 0 to 99',
    default: '0',
    meaning: 'How many proxies in front append to X-Forwarded-For; 0 takes the address of the connection.',
  },
  SEALDESK_FEED_KEEP_DAYS: {
    schema: z
      .string()
      .refine((value) => /^\d{1,2}$/.test(value) && Number(value) >= 1 && Number(value) <= 90),
    rule: 'a number from 1 to 90',
    default: '7',
    meaning:
      'Days for which the change feed keeps sealed entries; a stream that nobody reads for so long is no longer sealed for.',
  },
  SEALDESK_FEED_STREAM_MIB: {
    schema: z
      .string()
      .refine((value) => /^\d{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 16_384),
    rule: 'a number from 1 to 16384',
    default: '256',
    meaning: 'MiB of sealed entries that the change feed keeps for one stream; the oldest give way.',
  },
  SEALDESK_DIRECTORY_KEEP_DAYS: {
    schema: z
      .string()
      .refine((value) => /^\d{1,4}$/.test(value) && Number(value) >= 1 && Number(value) <= 3_650),
    rule: 'a number from 1 to 3650',
    default: '30',
    meaning:
      'Days for which the directory keeps, sealed and in no answer, what was deleted at Zendesk; then it is removed for good.',
  },
  SEALDESK_AUDIT_ANCHOR: {
    schema: z.string().regex(/^(?:none|file:.+|s3:\/\/.+)$/),
    rule: 'none, file:PATH, or s3://BUCKET/PREFIX?region=…',
    default: 'file:{SEALDESK_DATA_DIR}/audit-anchor',
    meaning:
      'Where checkpoints of the audit logs are kept outside the database: a folder, or a bucket with object lock (parameters `region`, `endpoint`, `mode`, `days`; see docs/audit.md).',
  },
  SEALDESK_METRICS_TOKEN: {
    schema: z.string().regex(/^[\x21-\x7e]{16,256}$/),
    rule: '16 to 256 printable characters without spaces',
    default: '(none: no metrics on PORT)',
    meaning: 'Bearer token that `GET /metrics` asks for; with it metrics are there on PORT too.',
    secret: true,
  },
  SEALDESK_METRICS_PORT: {
    schema: port,
    rule: 'a number from 1 to 65535',
    default: '(none)',
    meaning: 'Another port, for `GET /metrics` only: on SEALDESK_HOST with a token, else on 127.0.0.1.',
  },
  SEALDESK_LOG_LEVEL: {
    schema: z.enum(['debug', 'info', 'warn', 'error', 'silent']),
    rule: 'debug, info, warn, error or silent',
    default: 'info',
    meaning: 'Least severity that is logged, as JSON lines on standard error.',
  },
} as const satisfies Record<string, Setting>);

export type SettingName = keyof typeof SETTINGS;

export interface Config {
  readonly port: number;
  readonly host: string;
  readonly publicUrl: string;
  readonly databaseUrl: string | null;
  readonly dataDir: string;
  readonly dbRole: string;
  readonly kms:
    | { readonly kind: 'local'; readonly keyFile: string }
    | { readonly kind: 'aws'; readonly keyArn: string; readonly endpoint: string | null };
  readonly zendeskOrigin: string;
  /** The OAuth client of the installation; public where it has no secret. */
  readonly zendeskClient: { readonly clientId: string; readonly clientSecret: string | null } | null;
  readonly corsOrigins: readonly string[];
  readonly trustedProxies: number;
  /** Where metrics are shown: on the main port where there is a token, on a port of their own where that is named. */
  readonly metrics: { readonly token: string | null; readonly port: number | null };
  /** What the change feed keeps of each stream. */
  readonly feed: { readonly keepMs: number; readonly maxStreamBytes: number };
  /** For how long the directory keeps what was deleted. */
  readonly directory: { readonly keepMs: number };
  /** Where checkpoints of the audit logs are kept outside the database, as the setting has it. */
  readonly auditAnchor: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** The settings that the environment names, in the clear only where they are not secret. */
  readonly given: Readonly<Partial<Record<SettingName, string>>>;
}

/** A setting that cannot be used; the message names it and what it may be. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether the environment configures this program at all; if not, `npm start` is the demo. */
export function isConfigured(environment: Environment = process.env): boolean {
  return Object.keys(SETTINGS).some((name) => name !== 'PORT' && (environment[name] ?? '') !== '');
}

/** Reads and checks the environment. Throws {@link ConfigError}. */
export function readConfig(environment: Environment = process.env): Config {
  const values = readSettings(environment);
  const port = Number(values.PORT ?? SETTINGS.PORT.default);
  const dataDir = resolve(values.SEALDESK_DATA_DIR ?? SETTINGS.SEALDESK_DATA_DIR.default);
  return Object.freeze({
    port,
    host: values.SEALDESK_HOST ?? SETTINGS.SEALDESK_HOST.default,
    publicUrl: (values.SEALDESK_PUBLIC_URL ?? `http://localhost:${port}`).replace(/\/+$/, ''),
    databaseUrl: values.DATABASE_URL ?? null,
    dataDir,
    dbRole: values.SEALDESK_DB_ROLE ?? SETTINGS.SEALDESK_DB_ROLE.default,
    kms: kmsOf(values, dataDir),
    zendeskOrigin: values.SEALDESK_ZENDESK_ORIGIN ?? SETTINGS.SEALDESK_ZENDESK_ORIGIN.default,
    zendeskClient: clientOf(values),
    corsOrigins: Object.freeze(parseOrigins(values.SEALDESK_CORS_ORIGINS ?? '')),
    trustedProxies: Number(values.SEALDESK_TRUSTED_PROXIES ?? SETTINGS.SEALDESK_TRUSTED_PROXIES.default),
    metrics: Object.freeze({
      token: values.SEALDESK_METRICS_TOKEN ?? null,
      port: values.SEALDESK_METRICS_PORT === undefined ? null : Number(values.SEALDESK_METRICS_PORT),
    }),
    feed: {
      keepMs: Number(values.SEALDESK_FEED_KEEP_DAYS ?? SETTINGS.SEALDESK_FEED_KEEP_DAYS.default) * 86_400_000,
      maxStreamBytes:
        Number(values.SEALDESK_FEED_STREAM_MIB ?? SETTINGS.SEALDESK_FEED_STREAM_MIB.default) * 2 ** 20,
    },
    directory: {
      keepMs:
        Number(values.SEALDESK_DIRECTORY_KEEP_DAYS ?? SETTINGS.SEALDESK_DIRECTORY_KEEP_DAYS.default) *
        86_400_000,
    },
    auditAnchor: values.SEALDESK_AUDIT_ANCHOR ?? `file:${dataDir}/audit-anchor`,
    logLevel: (values.SEALDESK_LOG_LEVEL ?? SETTINGS.SEALDESK_LOG_LEVEL.default) as Config['logLevel'],
    given: Object.freeze(withoutSecrets(values)),
  });
}

type Values = Partial<Record<SettingName, string>>;

function readSettings(environment: Environment): Values {
  const unknown = Object.keys(environment).filter(
    (name) => name.startsWith('SEALDESK_') && !name.startsWith('SEALDESK_TEST_') && !(name in SETTINGS),
  );
  if (unknown.length > 0) {
    throw new ConfigError(`There is no setting ${unknown.join(', ')}; sealdesk doctor lists the settings.`);
  }
  const values: Values = {};
  const problems: string[] = [];
  for (const [name, setting] of Object.entries(SETTINGS) as [SettingName, Setting][]) {
    const given = environment[name];
    if (given === undefined || given === '') continue;
    if (setting.schema.safeParse(given).success) values[name] = given;
    else problems.push(`${name} must be ${setting.rule}.`);
  }
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return values;
}

function kmsOf(values: Values, dataDir: string): Config['kms'] {
  if ((values.SEALDESK_KMS ?? SETTINGS.SEALDESK_KMS.default) === 'local') {
    return { kind: 'local', keyFile: resolve(values.SEALDESK_KMS_KEY_FILE ?? `${dataDir}/kms.key`) };
  }
  if (values.SEALDESK_KMS_KEY_ARN === undefined) {
    throw new ConfigError(
      'SEALDESK_KMS=aws needs SEALDESK_KMS_KEY_ARN, the ARN of the key that wraps the tenants’ keys.',
    );
  }
  return { kind: 'aws', keyArn: values.SEALDESK_KMS_KEY_ARN, endpoint: values.SEALDESK_KMS_ENDPOINT ?? null };
}

function clientOf(values: Values): Config['zendeskClient'] {
  const { SEALDESK_ZENDESK_CLIENT_ID: clientId, SEALDESK_ZENDESK_CLIENT_SECRET: clientSecret = null } =
    values;
  if (clientId !== undefined) return { clientId, clientSecret };
  if (clientSecret === null) return null;
  throw new ConfigError('SEALDESK_ZENDESK_CLIENT_SECRET needs SEALDESK_ZENDESK_CLIENT_ID beside it.');
}

function parseOrigins(list: string): string[] {
  return list
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '')
    .map((origin) => {
      if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
        throw new ConfigError(
          `SEALDESK_CORS_ORIGINS must list origins such as https://app.example.com, separated by commas.`,
        );
      }
      return origin;
    });
}

function withoutSecrets(values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const setting: Setting = SETTINGS[name as SettingName];
      return [name, setting.secret === true ? '(set)' : value];
    }),
  );
}
