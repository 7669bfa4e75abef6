/** The command line: its commands, their arguments, and what they say when something fails. */
export { anchorLocationOf } from './anchor-location.ts';
export { runCommandLine } from './command-line.ts';
export type { Backend, Gateway, House } from './house.ts';
export { storeLocation } from './store-location.ts';
export type { Terminal } from './terminal.ts';
