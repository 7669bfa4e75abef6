/** What a client is made of, for the parts of the SDK that work with it: kept beside it, so that the client itself stays small. */
import type { KeyLogin } from './key-login.ts';
import type { KeyOpener } from './key-opener.ts';
import type { SealedFetchOptions } from './sealed-fetch.ts';

export interface ClientParts {
  readonly opener: KeyOpener;
  readonly login: KeyLogin | null;
  readonly options: SealedFetchOptions & { readonly url: string };
}

const parts = new WeakMap<object, ClientParts>();

export function keepClientParts(client: object, made: ClientParts): void {
  parts.set(client, made);
}

/** Throws TypeError for what `createClient` did not make. */
export function clientPartsOf(client: object): ClientParts {
  const found = parts.get(client);
  if (found === undefined) throw new TypeError('"client" must be what createClient returned');
  return found;
}
