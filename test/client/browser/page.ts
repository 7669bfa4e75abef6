/** What the page of the browser test does, step by step; each step takes and gives back plain values. */
import {
  createClient,
  deleteClientKey,
  type FeedTransport,
  generateClientKey,
  isNonExtractable,
  loadClientKey,
  registerClientKey,
  type SealdeskClient,
  saveClientKey,
  sealedFetch,
  subscribeTicketChanges,
  type TicketChanges,
  type WelcomedClientKey,
} from '../../../src/client/index.ts';
import { TicketPageDocument } from '../documents.generated.ts';

async function loadWelcomed(): Promise<WelcomedClientKey> {
  const key = await loadClientKey();
  if (key?.state !== 'WELCOMED') throw new Error('no welcomed key is stored');
  return key;
}

/** Logged in by the API key, or, for `null`, by the page's own key. */
async function openClient(url: string, apiKey: string | null): Promise<SealdeskClient> {
  return createClient({ url, clientKey: await loadWelcomed(), ...(apiKey === null ? {} : { apiKey }) });
}

/** What the page follows, from `follow` to `stopFollowing`. */
let followed: TicketChanges | null = null;

const steps = {
  async generate() {
    const key = await generateClientKey();
    await saveClientKey(key);
    const exports = [key.kem, key.sig].map((half) =>
      half instanceof CryptoKey ? crypto.subtle.exportKey('pkcs8', half) : Promise.resolve('bytes'),
    );
    const read = (await Promise.allSettled(exports)).map(({ status }) => status);
    return { nonExtractable: isNonExtractable(key), read, jwks: key.jwks, state: key.state };
  },

  async register(url: string, apiKey: string) {
    const key = await loadClientKey();
    if (key === null) throw new Error('no key is stored');
    const { clientKey, status } = await registerClientKey(key, { url, apiKey, keep: saveClientKey });
    return { status, keyId: clientKey.keyId };
  },

  async describe() {
    const key = await loadClientKey();
    return key === null
      ? null
      : {
          nonExtractable: isNonExtractable(key),
          jwks: key.jwks,
          pins: key.state === 'WELCOMED' ? key.signingKeys.map(({ kid }) => kid) : [],
        };
  },

  async open(url: string, envelope: unknown) {
    const client = createClient({ url, clientKey: await loadWelcomed() });
    return (await client.encryption.decrypt(envelope)).data;
  },

  async ask(url: string) {
    const fetch = sealedFetch(await loadWelcomed(), { url, onPins: saveClientKey });
    const response = await fetch('/graphql', { method: 'POST', body: '{"query":"{ a }"}' });
    return { status: response.status, headers: [...response.headers.keys()], body: await response.json() };
  },

  async refusal(url: string) {
    return steps.ask(url).then(
      () => 'accepted',
      (error: unknown) => String(error),
    );
  },

  async tickets(url: string, apiKey: string | null, integrationId: string) {
    const client = await openClient(url, apiKey);
    const {
      data,
      errors = [],
      auditEventId,
    } = await client.request(TicketPageDocument, {
      integrationId,
      first: 20,
    });
    const tickets = data?.integration.tickets?.nodes ?? [];
    const codes = errors.map(({ extensions }) => extensions?.['code']);
    return { subjects: tickets.map(({ subject }) => subject), codes, auditEventId };
  },

  /** Begins to follow; the cursor where that is. */
  async follow(
    url: string,
    apiKey: string | null,
    integrationId: string,
    transport: FeedTransport,
    after: string | null,
  ) {
    const client = await openClient(url, apiKey);
    followed = subscribeTicketChanges({ client, integrationId, transport, after });
    return followed.ready();
  },

  /** Subjects and cursors of the next changes. */
  async takeChanges(count: number) {
    const taken: { readonly subject: string | null; readonly cursor: string }[] = [];
    while (taken.length < count) {
      const { value } = (await followed?.next()) ?? {};
      if (value?.content.kind !== 'CHANGED') throw new Error('the next change is none');
      taken.push({ subject: value.content.ticket.subject, cursor: value.cursor });
    }
    return taken;
  },

  /** The code of what ends the iteration. */
  async failure() {
    const error: unknown = await followed?.next().catch((reason: unknown) => reason);
    return String(Reflect.get(Object(error), 'code'));
  },

  async stopFollowing() {
    await followed?.return();
    followed = null;
  },

  forget: () => deleteClientKey(),
};

export type Steps = typeof steps;

Reflect.set(globalThis, 'steps', steps);
