/** The floors of the house as data: which room may import which, and through which door. */

/** `folder/` for a room, a file's path for a room of one file. */
export type RoomPath = string;

export interface Room {
  readonly path: RoomPath;
  /** A room may import the rooms on lower floors. `null`: it stands aside and imports only `also`. */
  readonly floor: number | null;
  /** Files that other rooms may import; by default `index.ts`, or the file itself. */
  readonly doors?: readonly string[];
  /** Rooms it may import besides those on lower floors. */
  readonly also?: readonly RoomPath[];
  /** Of `also`, the rooms that it may load by `import()` only. */
  readonly dynamicOnly?: readonly RoomPath[];
  /** The only rooms that may import it; by default every room on a higher floor. */
  readonly importedBy?: readonly RoomPath[];
  /** The only packages it may import, Node's own modules included; by default every one. */
  readonly packages?: readonly string[];
}

const ROOF = 8;
const roofs = ['src/main.ts', 'src/cli/', 'codegen.ts', 'bench/'];

export const rooms: readonly Room[] = [
  {
    path: 'src/main.ts',
    floor: ROOF,
    also: ['src/config.ts', 'src/cli/', 'src/client/', 'simulator/'],
    dynamicOnly: ['simulator/'],
  },
  {
    path: 'src/cli/',
    floor: ROOF,
    also: ['src/config.ts', 'src/client/', 'simulator/'],
    dynamicOnly: ['simulator/'],
  },
  { path: 'src/config.ts', floor: ROOF },
  { path: 'codegen.ts', floor: ROOF, also: ['src/config.ts'] },
  { path: 'bench/', floor: ROOF, also: ['src/config.ts', 'src/client/', 'simulator/'] },
  { path: 'src/server/', floor: 7 },
  { path: 'schema/', floor: 6, importedBy: roofs },
  { path: 'src/service/', floor: 5 },
  { path: 'src/proxy/', floor: 4 },
  { path: 'src/access/', floor: 3 },
  { path: 'src/vault/', floor: 3 },
  { path: 'src/audit/', floor: 3 },
  { path: 'src/feed/', floor: 3 },
  { path: 'src/directory/', floor: 3 },
  { path: 'src/provisioning/', floor: 3 },
  { path: 'src/zendesk/', floor: 3 },
  { path: 'src/envelope/', floor: 2, doors: ['index.ts', 'node.ts', 'noble.ts', 'webcrypto.ts'] },
  { path: 'src/tlog/', floor: 2 },
  { path: 'src/kms/', floor: 2 },
  { path: 'src/store/', floor: 2 },
  { path: 'src/base/', floor: 1 },
  { path: 'migrations/', floor: 0, importedBy: ['src/store/'], packages: ['kysely'] },
  { path: 'src/client/', floor: null, also: ['src/envelope/', 'src/tlog/', 'src/base/'] },
  { path: 'simulator/', floor: null },
  { path: 'examples/', floor: null, also: ['src/client/'] },
];

/** Files from which nothing that only some platforms have may be reached, not even by its types. */
export const portableEntries: readonly { readonly entry: string; readonly forbidden: readonly RegExp[] }[] = [
  { entry: 'src/client/index.ts', forbidden: [/^node:/] },
  { entry: 'src/envelope/index.ts', forbidden: [/^node:/, /^@noble\//] },
  { entry: 'src/tlog/index.ts', forbidden: [/^node:/, /^@noble\//] },
  { entry: 'src/envelope/webcrypto.ts', forbidden: [/^node:/, /^@noble\//] },
];

/** The only file that reads the environment, among those that start with one of the prefixes. */
export const environment = { reader: 'src/config.ts', within: ['src/', 'schema/', 'migrations/'] };

export const maxLines = { lines: 400, within: ['src/', 'schema/', 'simulator/'] };

/** Names that say nothing of what is inside, of files and folders alike. */
export const drawerNames = /^(utils?|libs?|helpers?|common|interfaces?|types|misc|shared)$/;
