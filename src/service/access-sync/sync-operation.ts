/** The operation of the catalogue that permits to take an account's people into the directory. */
export const SYNC_OPERATION = 'sync_directory';
