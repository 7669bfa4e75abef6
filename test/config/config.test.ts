import { describe, expect, it } from 'vitest';
import { ConfigError, isConfigured, readConfig, SETTINGS } from '../../src/config.ts';

const ARN = 'arn:aws:kms:eu-west-1:123456789012:key/0f0e0d0c-0b0a-4908-8706-050403020100';

describe('the settings of the environment', () => {
  it('have safe defaults', () => {
    expect(readConfig({})).toMatchObject({
      port: 4000,
      host: '127.0.0.1',
      publicUrl: 'http://localhost:4000',
      databaseUrl: null,
      kms: { kind: 'local' },
      zendeskOrigin: 'https://{subdomain}.zendesk.com',
      zendeskClient: null,
      corsOrigins: [],
      trustedProxies: 0,
      metrics: { token: null, port: null },
      given: {},
    });
  });

  it.each([
    ['PORT', '0'],
    ['PORT', '65536'],
    ['PORT', 'abc'],
    ['SEALDESK_PUBLIC_URL', 'ftp://example.com'],
    ['DATABASE_URL', 'mysql://db.example.com/x'],
    ['SEALDESK_DB_ROLE', 'Tenant; DROP TABLE'],
    ['SEALDESK_KMS', 'gcp'],
    ['SEALDESK_KMS_KEY_ARN', 'foo'],
    ['SEALDESK_KMS_ENDPOINT', 'nonsense'],
    ['SEALDESK_ZENDESK_ORIGIN', 'https://example.com/path'],
    ['SEALDESK_ZENDESK_CLIENT_ID', 'two words'],
    ['SEALDESK_TRUSTED_PROXIES', '-1'],
    ['SEALDESK_METRICS_TOKEN', 'short'],
    ['SEALDESK_METRICS_TOKEN', 'a token of several words'],
    ['SEALDESK_METRICS_PORT', '0'],
    ['SEALDESK_LOG_LEVEL', 'loud'],
  ] as const)('are refused by name where %s is %j', (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(
      new ConfigError(`${name} must be ${SETTINGS[name].rule}.`),
    );
  });

  it('are refused all at once, and never quoted', () => {
    const read = () => readConfig({ PORT: 'hunter2', SEALDESK_KMS: 'hunter2' });
    expect(read).toThrow(/PORT must be .*\n?.*SEALDESK_KMS must be/s);
    expect(read).not.toThrow(/hunter2/);
  });

  it('are refused where there is none of the name', () => {
    expect(() => readConfig({ SEALDESK_KSM: 'aws' })).toThrow(/no setting SEALDESK_KSM/);
  });

  it('need a key where AWS KMS is to be used', () => {
    expect(() => readConfig({ SEALDESK_KMS: 'aws' })).toThrow(/SEALDESK_KMS_KEY_ARN/);
    expect(readConfig({ SEALDESK_KMS: 'aws', SEALDESK_KMS_KEY_ARN: ARN }).kms).toEqual({
      kind: 'aws',
      keyArn: ARN,
      endpoint: null,
    });
  });

  it.each([
    'null',
    '*',
    'https://a.example.com/',
    'https://a.example.com,nonsense',
  ])('take no origin %j', (origins) => {
    expect(() => readConfig({ SEALDESK_CORS_ORIGINS: origins })).toThrow(ConfigError);
  });

  it('know an OAuth client by its id, with or without a secret, and no secret without an id', () => {
    const id = { SEALDESK_ZENDESK_CLIENT_ID: 'global' };
    expect(readConfig(id).zendeskClient).toEqual({ clientId: 'global', clientSecret: null });
    const secret = { SEALDESK_ZENDESK_CLIENT_SECRET: 'hunter2' };
    const { zendeskClient, given } = readConfig({ ...id, ...secret });
    expect(zendeskClient).toEqual({ clientId: 'global', clientSecret: 'hunter2' });
    expect(given).toEqual({ ...id, SEALDESK_ZENDESK_CLIENT_SECRET: '(set)' });
    expect(() => readConfig(secret)).toThrow(/SEALDESK_ZENDESK_CLIENT_ID/);
  });

  it('are told without secrets', () => {
    const { given, metrics } = readConfig({
      DATABASE_URL: 'postgres://root:hunter2@db.example.com/x',
      SEALDESK_METRICS_TOKEN: 'hunter2hunter2hunter2',
      SEALDESK_METRICS_PORT: '9100',
      PORT: '4100',
    });
    expect(given).toEqual({
      DATABASE_URL: '(set)',
      SEALDESK_METRICS_TOKEN: '(set)',
      SEALDESK_METRICS_PORT: '9100',
      PORT: '4100',
    });
    expect(metrics).toEqual({ token: 'hunter2hunter2hunter2', port: 9100 });
  });

  it('make the demo give way to serving, but not the port alone', () => {
    expect(isConfigured({ PORT: '4100' })).toBe(false);
    expect(isConfigured({ SEALDESK_DATA_DIR: '/var/lib/sealdesk' })).toBe(true);
  });
});
