import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkTree, type Rule } from './architecture/check-tree.ts';
import { rooms } from './architecture/floors.ts';
import { readSource } from './architecture/read-imports.ts';

const root = join(import.meta.dirname, '..');

function readHouse(): Map<string, string> {
  const tree = new Map<string, string>();
  const entries = ['src', 'schema', 'migrations', 'simulator', 'bench', 'examples'].flatMap((top) =>
    readdirSync(root).includes(top)
      ? readdirSync(join(root, top), { recursive: true, encoding: 'utf8' }).map((path) => join(top, path))
      : [],
  );
  if (readdirSync(root).includes('codegen.ts')) entries.push('codegen.ts');
  for (const path of entries.map((entry) => entry.replaceAll('\\', '/'))) {
    if (/\.[cm]?tsx?$/.test(path)) tree.set(path, readFileSync(join(root, path), 'utf8'));
  }
  return tree;
}

function brokenRules(files: Record<string, string>): Rule[] {
  return [...new Set(checkTree(new Map(Object.entries(files))).map(({ rule }) => rule))];
}

describe('the house', () => {
  it('stands as its floors say', () => {
    expect(checkTree(readHouse())).toEqual([]);
  });

  it('is read whole, imports included', () => {
    const house = readHouse();
    const imports = [...house].flatMap(([path, source]) => readSource(path, source).imports);
    expect(house.has('src/base/index.ts')).toBe(true);
    expect(imports.length).toBeGreaterThan(house.size / 2);
  });
});

describe('a source file', () => {
  const written: [string, string, string | null][] = [
    ['an import', `import a from './a.ts';`, './a.ts'],
    ['an import for its effects', `import './a.ts';`, './a.ts'],
    ['a type-only import', `import type { A } from './a.ts';`, './a.ts'],
    ['an inline type import', `import { type A } from './a.ts';`, './a.ts'],
    ['an export of everything', `export * from './a.ts';`, './a.ts'],
    ['an export of names', `export { a } from './a.ts';`, './a.ts'],
    ['an export of types', `export type { A } from './a.ts';`, './a.ts'],
    ['a type by import()', `let a: Map<string, import('./a.ts').A>;`, './a.ts'],
    ['a typeof import()', `type A = typeof import('./a.ts');`, './a.ts'],
    ['an import()', `const a = await import('./a.ts');`, './a.ts'],
    ['an import() in a template', `const a = \`\${await import(\`./a.ts\`)}\`;`, './a.ts'],
    ['an import() of a computed name', `const a = await import(name);`, null],
    ['an import equals', `import a = require('./a.ts');`, './a.ts'],
    ['a require()', `const a = require('./a.ts');`, './a.ts'],
    ['a worker', `new Worker(new URL('./a.ts', import.meta.url));`, './a.ts'],
    ['a module of Node without prefix', `import fs from 'fs/promises';`, 'node:fs/promises'],
  ];
  it.each(written)('shows %s', (_, source, specifier) => {
    expect(readSource('a.ts', source).imports.map((one) => one.specifier)).toEqual([specifier]);
  });

  it('shows no import in comments, strings, templates, regular expressions and property names', () => {
    const source = `
      // import './a.ts';
      /* export * from './b.ts'; */
      const text = "import './c.ts'" + 'import("./d.ts")' + \`import './e.ts' \${'f'} import('./g.ts')\`;
      const pattern = /import '.\\/h.ts'/;
      const object = { import: './i.ts', require: (x: string) => x };
      object.require('./j.ts');
      export const from = './k.ts';`;
    expect(readSource('a.ts', source).imports).toEqual([]);
  });

  it.each([
    'process.env.A',
    `process.env['A']`,
    `process['env']`,
    'globalThis.process.env',
    'const { env } = process;',
    'let env; ({ env } = process);',
    `import { env as e } from 'node:process';`,
    `import { env } from 'process';`,
    'const a = process?.env;',
  ])('that says %s reads the environment', (source) => {
    expect(readSource('a.ts', source).readsEnvironment).toBe(true);
  });

  it.each([
    'process.argv',
    'const { argv } = process;',
    'config.env',
    '// process.env',
    `'process.env'`,
  ])('that says %s does not read the environment', (source) => {
    expect(readSource('a.ts', source).readsEnvironment).toBe(false);
  });
});

describe('a lawful tree', () => {
  it('breaks no rule', () => {
    const files = {
      'src/main.ts': `import './config.ts'; import './cli/index.ts'; import './server/index.ts'; import '../schema/index.ts'; await import('../simulator/index.ts');`,
      'src/config.ts': `import './base/index.ts'; process.env['PORT'];`,
      'src/cli/index.ts': `import './open.ts'; import '../config.ts'; await import('../../simulator/index.ts');`,
      'src/cli/open.ts': `import '../client/index.ts'; import '../service/index.ts';`,
      'codegen.ts': `import './schema/index.ts'; import fs from 'node:fs';`,
      'bench/run.ts': `import '../src/envelope/node.ts'; import '../simulator/index.ts'; import '../schema/index.ts';`,
      'src/server/index.ts': `import '../service/index.ts'; import 'graphql-yoga';`,
      'schema/index.ts': `import '../src/service/index.ts'; import '../src/base/index.ts'; import '@pothos/core';`,
      'src/service/index.ts': `import '../vault/index.ts'; import '../store/index.ts';`,
      'src/vault/index.ts': `import '../envelope/node.ts'; await import('../envelope/noble.ts');`,
      'src/envelope/index.ts': `export * from './format.ts';`,
      'src/envelope/node.ts': `import './format.ts'; import 'node:crypto';`,
      'src/envelope/noble.ts': `import './format.ts'; import '@noble/post-quantum/ml-kem.js';`,
      'src/envelope/format.ts': `import '../base/index.ts';`,
      'src/store/index.ts': `import './open.ts';`,
      'src/store/open.ts': `import '../../migrations/index.ts'; import 'node:fs'; import manifest from '../../package.json' with { type: 'json' };`,
      'migrations/index.ts': `import './0001-start.ts';`,
      'migrations/0001-start.ts': `import type { Kysely } from 'kysely';`,
      'src/base/index.ts': `export const text = "${'line '.repeat(20)}";${'\n'.repeat(400)}`,
      'src/client/index.ts': `import '../envelope/index.ts'; import type { A } from '../base/index.ts';`,
      'simulator/index.ts': `import './server.ts';`,
      'simulator/server.ts': `import 'node:http'; process.env['PORT'];`,
    };
    expect(checkTree(new Map(Object.entries(files)))).toEqual([]);
  });
});

describe('a violating tree', () => {
  const base = { 'src/base/index.ts': 'export {};' };
  const trees: [string, Rule, Record<string, string>][] = [
    [
      'imports upward',
      'floor',
      { ...base, 'src/base/a.ts': `import '../kms/index.ts';`, 'src/kms/index.ts': '' },
    ],
    [
      'imports upward for a type only',
      'floor',
      { 'src/kms/index.ts': `export type A = import('../vault/index.ts').A;`, 'src/vault/index.ts': '' },
    ],
    [
      'imports sideways',
      'floor',
      { 'src/audit/index.ts': `import '../vault/index.ts';`, 'src/vault/index.ts': '' },
    ],
    [
      'imports sideways dynamically',
      'floor',
      { 'src/kms/index.ts': `await import('../store/index.ts');`, 'src/store/index.ts': '' },
    ],
    ['imports the roof', 'floor', { 'src/server/index.ts': `import '../config.ts';`, 'src/config.ts': '' }],
    [
      'imports main from the command line',
      'floor',
      { 'src/cli/a.ts': `import '../main.ts';`, 'src/main.ts': '' },
    ],
    [
      'imports schema from src',
      'floor',
      { 'src/server/index.ts': `import '../../schema/index.ts';`, 'schema/index.ts': '' },
    ],
    [
      'imports migrations past the store',
      'floor',
      { 'src/kms/index.ts': `import '../../migrations/index.ts';`, 'migrations/index.ts': '' },
    ],
    [
      'imports src from a migration',
      'floor',
      { ...base, 'migrations/index.ts': `import '../src/base/index.ts';` },
    ],
    [
      'imports src from the simulator',
      'floor',
      { ...base, 'simulator/index.ts': `import type {} from '../src/base/index.ts';` },
    ],
    [
      'imports the simulator from src',
      'floor',
      { 'src/proxy/index.ts': `import '../../simulator/index.ts';`, 'simulator/index.ts': '' },
    ],
    [
      'imports more into the client',
      'floor',
      { 'src/client/index.ts': `import '../store/index.ts';`, 'src/store/index.ts': '' },
    ],
    [
      'imports the client from a room',
      'floor',
      { 'src/server/index.ts': `import '../client/index.ts';`, 'src/client/index.ts': '' },
    ],
    [
      'loads the simulator statically',
      'dynamic-only',
      { 'src/main.ts': `import '../simulator/index.ts';`, 'simulator/index.ts': '' },
    ],
    [
      'imports past a front door',
      'door',
      { 'src/kms/index.ts': `import '../base/bytes.ts';`, 'src/base/bytes.ts': '' },
    ],
    [
      'takes a side door of another room',
      'door',
      { 'src/vault/a.ts': `import '../kms/node.ts';`, 'src/kms/node.ts': '' },
    ],
    [
      'imports an inner index',
      'door',
      { 'src/vault/a.ts': `import '../kms/aws/index.ts';`, 'src/kms/aws/index.ts': '' },
    ],
    ['imports its own front door', 'own-door', { ...base, 'src/base/bytes.ts': `import './index.ts';` }],
    [
      'has a ring of files',
      'ring',
      {
        'src/kms/a.ts': `import './b.ts';`,
        'src/kms/b.ts': `import type {} from './c.ts';`,
        'src/kms/c.ts': `export * from './a.ts';`,
      },
    ],
    ['has a file that imports itself', 'ring', { 'src/kms/a.ts': `import './a.ts';` }],
    ['imports a file that is not there', 'missing', { 'src/kms/a.ts': `import './b.ts';` }],
    ['imports without the extension', 'missing', { 'src/kms/a.ts': `import './b';`, 'src/kms/b.ts': '' }],
    ['imports a computed name', 'computed', { 'src/kms/a.ts': `await import(name);` }],
    ['imports tests', 'room', { 'src/kms/a.ts': `import '../../test/support/a.ts';` }],
    ['imports itself as a package', 'room', { 'src/kms/a.ts': `import 'sealdesk/client';` }],
    ['has a file in no room', 'room', { 'src/start.ts': '' }],
    ['has a room without a floor', 'room', { 'src/cellar/index.ts': '' }],
    ['uses a package in a migration', 'package', { 'migrations/index.ts': `import 'pg';` }],
    ['uses Node in a migration', 'package', { 'migrations/index.ts': `import fs from 'fs';` }],
    [
      'reaches Node from the client',
      'portable',
      {
        ...base,
        'src/client/index.ts': `import '../envelope/index.ts';`,
        'src/envelope/index.ts': `export * from './a.ts';`,
        'src/envelope/a.ts': `import { hash } from 'crypto';`,
      },
    ],
    [
      'reaches Node from the client by a type',
      'portable',
      {
        'src/client/index.ts': `import type { A } from './a.ts';`,
        'src/client/a.ts': `export type A = import('node:fs').Stats;`,
      },
    ],
    [
      'reaches Node from the client dynamically',
      'portable',
      {
        'src/client/index.ts': `await import('../envelope/node.ts');`,
        'src/envelope/node.ts': `import 'node:crypto';`,
      },
    ],
    ['reaches Node from the envelope', 'portable', { 'src/envelope/index.ts': `import 'node:crypto';` }],
    ['reaches Node from the tree of the log', 'portable', { 'src/tlog/index.ts': `import 'node:crypto';` }],
    [
      'reaches noble from the envelope',
      'portable',
      {
        'src/envelope/index.ts': `await import('./noble.ts');`,
        'src/envelope/noble.ts': `import '@noble/post-quantum/ml-kem.js';`,
      },
    ],
    ['reads the environment in a room', 'environment', { 'src/kms/a.ts': `const a = process.env['A'];` }],
    ['reads the environment in main', 'environment', { 'src/main.ts': `const { env } = process;` }],
    [
      'reads the environment in the schema',
      'environment',
      { 'schema/a.ts': `import { env } from 'node:process';` },
    ],
    ['has a file of 401 lines', 'length', { 'src/kms/a.ts': 'export {};\n'.repeat(401) }],
    ['has a simulator file of 401 lines', 'length', { 'simulator/a.ts': 'export {};\n'.repeat(401) }],
    ...['utils', 'lib', 'helpers', 'common', 'interfaces', 'types', 'misc'].map(
      (name): [string, Rule, Record<string, string>] => [
        `has a ${name}.ts`,
        'drawer',
        { [`src/kms/${name}.ts`]: '' },
      ],
    ),
    ['has a drawer for a folder', 'drawer', { 'src/kms/helpers/retry.ts': '' }],
  ];

  it.each(trees)('that %s breaks the rule "%s" and no other', (_, rule, files) => {
    expect(brokenRules(files)).toEqual([rule]);
  });

  it('is told of with the file and the way there', () => {
    const files = {
      'src/client/index.ts': `import './a.ts';`,
      'src/client/a.ts': `import 'node:fs';`,
    };
    expect(checkTree(new Map(Object.entries(files)))).toEqual([
      {
        rule: 'portable',
        file: 'src/client/index.ts',
        detail: 'src/client/index.ts -> src/client/a.ts -> node:fs',
      },
    ]);
  });

  it('is found for every pair of rooms that the floors keep apart', () => {
    const closed = rooms
      .flatMap((from) => rooms.map((to) => [from, to] as const))
      .filter(([from, to]) => {
        if (from === to || from.also?.includes(to.path)) return false;
        return (
          from.floor === null ||
          to.floor === null ||
          to.floor >= from.floor ||
          to.importedBy?.includes(from.path) === false
        );
      });
    for (const [from, to] of closed) {
      const file = from.path.endsWith('/') ? `${from.path}a.ts` : from.path;
      const target = to.path.endsWith('/') ? `${to.path}index.ts` : to.path;
      const way = '../'.repeat(file.split('/').length - 1) || './';
      expect([
        from.path,
        to.path,
        ...brokenRules({ [file]: `import '${way}${target}';`, [target]: '' }),
      ]).toEqual([from.path, to.path, 'floor']);
    }
    expect(closed.length).toBeGreaterThan(rooms.length);
  });
});
