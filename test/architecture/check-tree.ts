/** Holds a tree of source files against the floors and says what breaks which rule. */
import { posix } from 'node:path';
import { drawerNames, environment, maxLines, portableEntries, type Room, rooms } from './floors.ts';
import { type Import, readSource, type SourceFacts } from './read-imports.ts';

export type Rule =
  | 'room' // a file that belongs to no room, or an import of something outside the house
  | 'floor' // upward, sideways, or into a room that is not open to this one
  | 'door' // another room entered not by its front door
  | 'own-door' // a file that imports the front door of its own room
  | 'missing' // a relative import of a file that does not exist
  | 'computed' // an import whose target cannot be read from the source
  | 'dynamic-only' // a static import where only import() is allowed
  | 'package' // a package that the room may not use
  | 'ring' // files that import each other in a circle
  | 'portable' // something of one platform reached from an entry meant for all
  | 'environment' // process.env read outside the configuration
  | 'length'
  | 'drawer';

export interface Violation {
  readonly rule: Rule;
  readonly file: string;
  readonly detail: string;
}

/** Path from the repository's root, with `/`, to source text. */
export type SourceTree = ReadonlyMap<string, string>;

interface Edge extends Import {
  /** Path in the tree for a relative import, else `null`. */
  readonly target: string | null;
}

export function checkTree(tree: SourceTree): Violation[] {
  const facts = new Map([...tree].map(([path, source]) => [path, readSource(path, source)]));
  const edges = new Map([...facts].map(([path, found]) => [path, resolveImports(path, found)]));
  return [
    ...[...edges].flatMap(([file, list]) => list.flatMap((edge) => checkImport(tree, file, edge))),
    ...findRings(edges),
    ...portableEntries.flatMap(({ entry, forbidden }) => checkPortable(edges, entry, forbidden)),
    ...[...tree].flatMap(([file, source]) =>
      checkFile(file, source, facts.get(file)?.readsEnvironment ?? false),
    ),
  ];
}

function resolveImports(file: string, facts: SourceFacts): Edge[] {
  return facts.imports.map((one) => {
    const isRelative = one.specifier !== null && /^\.{1,2}(\/|$)/.test(one.specifier);
    return { ...one, target: isRelative ? posix.join(posix.dirname(file), one.specifier ?? '') : null };
  });
}

function roomOf(path: string): Room | undefined {
  return rooms.find((room) => (room.path.endsWith('/') ? path.startsWith(room.path) : path === room.path));
}

function checkImport(tree: SourceTree, file: string, edge: Edge): Violation[] {
  const from = roomOf(file);
  if (from === undefined) return [];
  const { specifier, target } = edge;
  const violation = (rule: Rule, detail: string): Violation[] => [{ rule, file, detail }];
  if (specifier === null) return violation('computed', 'imports a name that is computed');
  if (target === null) {
    if (/^(sealdesk(\/|$)|#|\/|file:|data:)/.test(specifier))
      return violation('room', `imports ${specifier}`);
    const isOpen =
      from.packages?.some((name) => specifier === name || specifier.startsWith(`${name}/`)) ?? true;
    return isOpen ? [] : violation('package', `imports ${specifier}`);
  }
  const to = roomOf(target);
  if (target.endsWith('.json')) return [];
  if (to === undefined) return violation('room', `imports ${target}, which is in no room`);
  if (!tree.has(target)) return violation('missing', `imports ${target}, which does not exist`);
  if (to === from) return target === `${from.path}index.ts` ? violation('own-door', `imports ${target}`) : [];
  if (!mayImport(from, to)) return violation('floor', `${from.path} imports ${to.path}`);
  if (from.dynamicOnly?.includes(to.path) && !edge.isDynamic) {
    return violation('dynamic-only', `imports ${target} statically`);
  }
  return doorsOf(to).includes(target) ? [] : violation('door', `imports ${target} past the front door`);
}

function mayImport(from: Room, to: Room): boolean {
  if (from.also?.includes(to.path)) return true;
  if (to.importedBy && !to.importedBy.includes(from.path)) return false;
  return from.floor !== null && to.floor !== null && to.floor < from.floor;
}

function doorsOf(room: Room): string[] {
  if (!room.path.endsWith('/')) return [room.path];
  return (room.doors ?? ['index.ts']).map((door) => room.path + door);
}

function checkFile(file: string, source: string, readsEnvironment: boolean): Violation[] {
  const violations: Violation[] = [];
  const isWithin = (prefixes: readonly string[]) => prefixes.some((prefix) => file.startsWith(prefix));
  if (roomOf(file) === undefined) violations.push({ rule: 'room', file, detail: 'belongs to no room' });
  if (readsEnvironment && file !== environment.reader && isWithin(environment.within)) {
    violations.push({
      rule: 'environment',
      file,
      detail: `reads process.env; only ${environment.reader} may`,
    });
  }
  const lines = source.replace(/\n$/, '').split('\n').length;
  if (lines > maxLines.lines && isWithin(maxLines.within)) {
    violations.push({ rule: 'length', file, detail: `${lines} lines, more than ${maxLines.lines}` });
  }
  const drawer = file.split('/').find((part) => drawerNames.test(part.split('.')[0] ?? ''));
  if (drawer !== undefined)
    violations.push({ rule: 'drawer', file, detail: `"${drawer}" does not say what is inside` });
  return violations;
}

/** Breadth first over every kind of import, since a bundler follows type-only and dynamic ones as well. */
function checkPortable(
  edges: ReadonlyMap<string, Edge[]>,
  entry: string,
  forbidden: readonly RegExp[],
): Violation[] {
  const cameFrom = new Map<string, string | null>(edges.has(entry) ? [[entry, null]] : []);
  const violations: Violation[] = [];
  for (const file of cameFrom.keys()) {
    for (const { specifier, target } of edges.get(file) ?? []) {
      if (target !== null && edges.has(target) && !cameFrom.has(target)) cameFrom.set(target, file);
      if (specifier === null || !forbidden.some((pattern) => pattern.test(specifier))) continue;
      const way = [specifier];
      for (let at: string | null = file; at !== null; at = cameFrom.get(at) ?? null) way.unshift(at);
      violations.push({ rule: 'portable', file: entry, detail: way.join(' -> ') });
    }
  }
  return violations;
}

/** Depth-first search; every import that leads back into the path being walked closes one ring. */
function findRings(edges: ReadonlyMap<string, Edge[]>): Violation[] {
  const violations: Violation[] = [];
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) {
      violations.push({ rule: 'ring', file, detail: [...path.slice(start), file].join(' -> ') });
      return;
    }
    if (done.has(file)) return;
    for (const { target } of edges.get(file) ?? []) if (target !== null) walk(target, [...path, file]);
    done.add(file);
  };
  for (const file of edges.keys()) walk(file, []);
  return violations;
}
