import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runHere } from './program.ts';

const COMMANDS = [
  'start',
  'serve',
  'demo',
  'migrate',
  'doctor',
  'connect',
  'keys generate',
  'keys public',
  'keys fingerprint',
  'keys register',
  'keys accept',
  'keys rotate',
  'keys status',
  'keys verify',
  'open',
  'query',
  'export directory',
  'export review',
  'feed tail',
  'audit verify',
  'audit accept-restore',
  'audit export',
  'audit tail',
  'tenant create',
  'server-keys status',
  'server-keys rotate',
  'server-keys cancel',
  'operator create',
];

describe('the command line', () => {
  it('lists every command with one line each, and no other', async () => {
    for (const args of [[], ['--help'], ['-h'], ['help']]) {
      const { code, stdout, stderr } = await runHere(args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const listed = [...stdout.matchAll(/^ {2}(\S+(?: \S+)?) {2,}\S/gm)].map(([, name]) => name);
      expect(listed).toEqual(COMMANDS);
    }
  });

  it.each(COMMANDS)('explains sealdesk %s, by --help and by help', async (name) => {
    const words = name.split(' ');
    const byOption = await runHere([...words, '--help']);
    const byWord = await runHere(['help', ...words]);
    expect(byOption).toEqual(byWord);
    expect(byOption.code).toBe(0);
    expect(byOption.stderr).toBe('');
    expect(byOption.stdout).toMatch(new RegExp(`^Usage: sealdesk ${name} `));
    expect(byOption.stdout).toContain('--help');
    expect(byOption.stdout.split('\n').filter((line) => line.length > 110)).toEqual([]);
  });

  it('lists the commands of a family', async () => {
    const { code, stdout } = await runHere(['keys', '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('keys accept');
    expect(stdout).not.toContain('tenant create');
    expect((await runHere(['help', 'keys'])).stdout).toBe(stdout);
  });

  it('prints the version of the package', async () => {
    const manifest: unknown = JSON.parse(
      readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8'),
    );
    expect(manifest).toMatchObject({ version: (await runHere(['--version'])).stdout.trim() });
  });

  it.each([
    [['nope'], /no command 'nope'/],
    [['keys', 'nope'], /no command 'keys nope'/],
    [['help', 'nope'], /no command 'nope'/],
    [['constructor'], /no command 'constructor'/],
    [['open', '--nope'], /'--nope'/],
    [['open', 'a.json'], /--key FILE is missing/],
    [['query', '{ a }', '--api-key', 'k'], /--key FILE is missing/],
    [['query', ' ', '--key', 'a.json', '--api-key', 'k'], /DOCUMENT is empty/],
    [['query', '-', '--key', 'a.json', '--api-key-file', '-'], /Standard input can be named once/],
    [['feed', 'tail', '--api-key', 'k'], /--key FILE is missing/],
    [['audit', 'export', '--url', 'http://a'], /--out FILE is missing/],
    [['audit', 'export', '--out', 'a'], /--url URL is missing/],
    [['audit', 'export', '--url', 'http://a', '--out', 'a', '--from', '-1'], /'--from/],
    [['audit', 'export', '--url', 'http://a', '--out', 'a', '--to', '1.5'], /--to takes the index/],
    [['audit', 'tail', '--url', 'http://a'], /--api-key \(or --api-key-file\) is missing/],
    [['audit', 'tail', '--api-key', 'k'], /--url URL is missing/],
    [['keys', 'generate'], /FILE is missing/],
    [['keys', 'generate', 'a', 'b'], /'b'/],
    [['demo', '--simulator-port', 'x'], /--simulator-port takes a port/],
    [['start', '--simulator-port', 'x'], /--simulator-port takes a port/],
    [['keys', 'public', 'a', '--tenant', 'ten_x'], /--tenant takes the id/],
    [['server-keys', 'status'], /--api-key \(or --api-key-file\) is missing/],
    [['server-keys', 'rotate'], /WHICH is missing/],
    [['server-keys', 'rotate', 'storage'], /WHICH is signing, vault or kms/],
    [['server-keys', 'rotate', 'vault', '--now'], /--now goes with signing only/],
    [['server-keys', 'rotate', 'signing', '--wait'], /--wait goes with vault and kms only/],
    [['server-keys', 'rotate', 'vault', '--kms-key-arn', 'x'], /--kms-key-arn goes with kms only/],
  ])('refuses %j with one line and exit code 2', async (args, reason) => {
    const { code, stdout, stderr } = await runHere(args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(reason);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});
