/** A PostgreSQL server of a test's own, which it may restart as it likes: own data folder, own port, loopback only. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../../cli/program.ts';

const VERSIONS = '/usr/lib/postgresql';

export interface PostgresServer extends AsyncDisposable {
  readonly connectionString: string;
  /** `immediate` is as good as a crash: what was committed is recovered from the log. */
  restart(mode: 'fast' | 'immediate'): Promise<void>;
}

/** Where the newest server's programs are; `null` where none is installed. */
export function findPostgresPrograms(): string | null {
  if (!existsSync(VERSIONS)) return null;
  const [newest] = readdirSync(VERSIONS)
    .filter((version) => existsSync(join(VERSIONS, version, 'bin', 'initdb')))
    .toSorted((a, b) => Number(b) - Number(a));
  return newest === undefined ? null : join(VERSIONS, newest, 'bin');
}

export async function openPostgresServer(programs: string): Promise<PostgresServer> {
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'sealdesk-postgres-'));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  const data = join(folder, 'data');
  // The server refuses to run as root.
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await promisify(execFile)('chown', ['postgres', folder]);
  else await chmod(folder, 0o700);
  const run = async (program: string, args: readonly string[]): Promise<void> => {
    const command = [join(programs, program), ...args];
    const [file = '', ...rest] = isRoot ? ['runuser', '-u', 'postgres', '--', ...command] : command;
    await promisify(execFile)(file, rest, { cwd: folder });
  };
  const [port = 0] = await freePorts(1);
  const settings = `-c listen_addresses=127.0.0.1 -c port=${port} -c unix_socket_directories=${folder} -c fsync=off`;
  const control = (...args: readonly string[]): Promise<void> =>
    run('pg_ctl', ['-D', data, '-w', '-l', join(folder, 'log'), ...args]);
  await run('initdb', ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync']);
  await control('-o', settings, 'start');
  resources.defer(() => control('-m', 'immediate', 'stop'));
  const kept = resources.move();
  return {
    connectionString: `postgres://postgres@127.0.0.1:${port}/postgres`,
    restart: (mode) => control('-m', mode, '-o', settings, 'restart'),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
