/**
 * What the demo of `npm start` left for scripts, put to use for one page: an API key for the board's server
 * to lend, and the mapping of the page's key. FOR THE DEMO ONLY: it holds the demo's ADMIN key, and maps
 * for whoever opens the page. In earnest an admin makes the API key once, and a person maps a key after
 * comparing its fingerprint.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { callGateway } from '../../src/client/index.ts';

/** How long the lent API key lives when nobody revokes it. */
const API_KEY_HOURS = 12;

const DemoFile = z.object({ url: z.url(), apiKeys: z.object({ admin: z.string() }) });
const CreatedApiKey = z.object({
  createApiKey: z.object({ secret: z.string(), apiKey: z.object({ id: z.string() }) }),
});
const FoundKey = z.object({ node: z.object({ fingerprint: z.string() }).nullable() });

const CREATE_API_KEY = `mutation ($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { secret apiKey { id } }
}`;
const REVOKE_API_KEY = 'mutation ($id: ID!) { revokeApiKey(id: $id) { apiKey { id } } }';
const FIND_KEY = 'query ($id: ID!) { node(id: $id) { ... on ClientKey { fingerprint } } }';
const MAP_KEY = 'mutation ($id: ID!) { mapClientKey(keyId: $id) { clientKey { id } } }';

export interface DemoAdmin {
  /** Address of the gateway. */
  readonly url: string;
  readonly adminKey: string;
}

/** The demo's address and ADMIN key. Throws what reading throws, and ZodError for a file that is another. */
export async function readDemoFile(file: string): Promise<DemoAdmin> {
  const { url, apiKeys } = DemoFile.parse(JSON.parse(await readFile(file, 'utf8')));
  return { url, adminKey: apiKeys.admin };
}

export interface DemoAccess extends AsyncDisposable {
  /** Of an agent. Bound to no client key: each page names its own as the recipient. Revoked when disposed. */
  readonly apiKey: string;
  /** Maps a key whose fingerprint is the one that the page shows. Throws Error for another one. */
  readonly mapKey: (keyId: string, fingerprint: string) => Promise<void>;
}

/** Makes the API key to lend. Throws what `callGateway` throws. */
export async function openDemoAccess({ url, adminKey }: DemoAdmin): Promise<DemoAccess> {
  const ask = <Answer>(
    answer: z.ZodType<Answer>,
    query: string,
    variables: Parameters<typeof callGateway>[2],
  ): Promise<Answer> =>
    callGateway({ gateway: url, fetch, apiKey: adminKey }, query, variables).then((data) =>
      answer.parse(data),
    );
  const expiresAt = new Date(Date.now() + API_KEY_HOURS * 3_600_000).toISOString();
  const input = { name: 'ticket board example', roles: ['AGENT'], expiresAt };
  const { secret, apiKey } = (await ask(CreatedApiKey, CREATE_API_KEY, { input })).createApiKey;
  return {
    apiKey: secret,
    async mapKey(keyId, fingerprint) {
      const { node } = await ask(FoundKey, FIND_KEY, { id: keyId });
      if (node?.fingerprint !== fingerprint) {
        throw new Error('The gateway has no key of this id and fingerprint: do not map it.');
      }
      await ask(z.unknown(), MAP_KEY, { id: keyId });
    },
    async [Symbol.asyncDispose]() {
      // It ends by itself where the gateway is gone already.
      await ask(z.unknown(), REVOKE_API_KEY, { id: apiKey.id }).catch(() => undefined);
    },
  };
}
