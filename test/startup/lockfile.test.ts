/**
 * The lockfile as `npm ci` takes it on every platform. `npm install` leaves out platform packages that a
 * registry does not have, works on, and writes a lockfile that `npm ci` refuses in a fresh clone.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lockfile: { readonly packages: Readonly<Record<string, LockedPackage>> } = JSON.parse(
  readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'),
);
const packages = Object.entries(lockfile.packages);
const EXACT = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/;

/** What `name` is to the package at `path`: its own copy, or that of the nearest folder above. */
function lockedFor(path: string, name: string): LockedPackage | undefined {
  const parts = path === '' ? [] : path.split('/node_modules/');
  const folders = parts
    .map((_, index) => `${parts.slice(0, index + 1).join('/node_modules/')}/`)
    .toReversed();
  return [...folders, '']
    .map((folder) => lockfile.packages[`${folder}node_modules/${name}`])
    .find((found) => found !== undefined);
}

it('has every dependency of every package, platform packages of other systems too, in the version asked for', () => {
  const missing = packages.flatMap(([path, { dependencies = {}, optionalDependencies = {} }]) =>
    Object.entries({ ...dependencies, ...optionalDependencies }).flatMap(([name, wanted]) => {
      const found = lockedFor(path, name);
      if (found === undefined) return [`${path || 'the project'}: ${name}@${wanted} is missing`];
      return EXACT.test(wanted) && found.version !== wanted
        ? [`${path || 'the project'}: ${name}@${wanted} is locked as ${found.version}`]
        : [];
    }),
  );
  expect(missing).toEqual([]);
});

it('pins the content of every package, and names no registry', () => {
  const installed = packages.filter(([path]) => path !== '');
  expect(installed.length).toBeGreaterThan(100);
  expect(installed.filter(([, { integrity }]) => integrity === undefined)).toEqual([]);
  expect(installed.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
});
