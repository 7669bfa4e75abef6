/** What the page of the browser test does, step by step; each step takes and gives back plain values. */
import {
  createClient,
  deleteClientKey,
  generateClientKey,
  isNonExtractable,
  loadClientKey,
  registerClientKey,
  saveClientKey,
  sealedFetch,
  type WelcomedClientKey,
} from '../../../src/client/index.ts';
import { TicketPageDocument } from '../documents.generated.ts';

async function loadWelcomed(): Promise<WelcomedClientKey> {
  const key = await loadClientKey();
  if (key?.state !== 'WELCOMED') throw new Error('no welcomed key is stored');
  return key;
}

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

  async tickets(url: string, apiKey: string, integrationId: string) {
    const client = createClient({ url, apiKey, clientKey: await loadWelcomed() });
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

  forget: () => deleteClientKey(),
};

export type Steps = typeof steps;

Reflect.set(globalThis, 'steps', steps);
