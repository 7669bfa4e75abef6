import { afterEach, expect, it } from 'vitest';
import { Project } from './project.ts';

let open: Project | undefined;
afterEach(() => open?.[Symbol.dispose]());

/** A clone whose type checker, linter and generator are stand-ins that end with the given codes. */
function project(codes: { types: number; lint: number; generated?: number }): Project {
  open = new Project();
  open.install();
  const tool = (name: string, code: number) =>
    `console.log('${name}', ...process.argv.slice(2)); process.exitCode = ${code};`;
  open.write('node_modules/typescript/bin/tsc', tool('types found', codes.types));
  open.write('node_modules/@biomejs/biome/bin/biome', tool('lint found', codes.lint));
  if (codes.generated !== undefined) open.write('codegen.ts', tool('generator found', codes.generated));
  return open;
}

const check = ['--exec', 'bin/check.mjs'];
const lines = (text: string) =>
  text
    .trim()
    .replace(/\d+\.\d s/g, 'TIME')
    .split('\n')
    .sort();

it('The check says one line for each part when all is well', async () => {
  const { stdout, code } = await project({ types: 0, lint: 0, generated: 0 }).run(check);
  expect(lines(stdout)).toEqual([
    'generated files: ok (TIME)',
    'lint and format: ok (TIME)',
    'types: ok (TIME)',
  ]);
  expect(code).toBe(0);
});

it.each([
  ['types', { types: 2, lint: 0, generated: 0 }],
  ['lint and format', { types: 0, lint: 1, generated: 0 }],
  ['generated files', { types: 0, lint: 0, generated: 1 }],
])('The check fails by its %s alone, and still runs the others', async (name, codes) => {
  const { stdout, code } = await project(codes).run(check);
  expect(lines(stdout).filter((line) => line.endsWith('FAILED (TIME)'))).toEqual([`${name}: FAILED (TIME)`]);
  expect(lines(stdout).filter((line) => line.endsWith('ok (TIME)'))).toHaveLength(2);
  expect(stdout).toMatch(/^(types|lint|generator) found /m);
  expect(code).toBe(1);
});

it('The check asks the generator to compare, not to write', async () => {
  const { stdout } = await project({ types: 0, lint: 0, generated: 1 }).run(check);
  expect(lines(stdout)).toContain('generator found --check');
});

it('The check skips generated files only where there is no generator', async () => {
  const { stdout, code } = await project({ types: 0, lint: 0 }).run(check);
  expect(lines(stdout)).toContain('generated files: skipped, there is no codegen.ts');
  expect(code).toBe(0);
});
