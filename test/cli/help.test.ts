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
  'keys generate',
  'keys public',
  'keys fingerprint',
  'keys register',
  'keys accept',
  'open',
  'query',
  'feed tail',
  'tenant create',
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
    [['query', '{ a }', '--key', 'a.json'], /--api-key \(or --api-key-file\) is missing/],
    [['query', '{ a }', '--api-key', 'k'], /--key FILE is missing/],
    [['query', ' ', '--key', 'a.json', '--api-key', 'k'], /DOCUMENT is empty/],
    [['query', '-', '--key', 'a.json', '--api-key-file', '-'], /Standard input can be named once/],
    [['feed', 'tail', '--key', 'a.json'], /--api-key \(or --api-key-file\) is missing/],
    [['feed', 'tail', '--api-key', 'k'], /--key FILE is missing/],
    [['keys', 'generate'], /FILE is missing/],
    [['keys', 'generate', 'a', 'b'], /'b'/],
    [['demo', '--simulator-port', 'x'], /--simulator-port takes a port/],
    [['start', '--simulator-port', 'x'], /--simulator-port takes a port/],
    [['keys', 'public', 'a', '--tenant', 'ten_x'], /--tenant takes the id/],
  ])('refuses %j with one line and exit code 2', async (args, reason) => {
    const { code, stdout, stderr } = await runHere(args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(reason);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});
