/** Loaded into a server that is measured (`--expose-gc --import`): SIGUSR2 has it collect its garbage. */
process.on('SIGUSR2', () => globalThis.gc?.());
