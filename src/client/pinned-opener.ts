/**
 * Opening with a client key, and following the gateway's signing keys: an envelope by a key that is not
 * pinned makes the opener read the published document, once, and believe what a chain of transitions
 * from its pins proves (`docs/envelope.md` §9). Whoever can alter that document can take trust away, not
 * give any. Anybody can make an envelope that names an unknown key, so the document is fetched no more
 * often than once a minute, by one request at a time.
 */
import { isId, parseBase64, parseUtf8 } from '../base/index.ts';
import {
  type AwaitableSuite,
  ENVELOPE_LIMITS,
  EnvelopeOpenError,
  type ExpectedHeader,
  extendPins,
  type KemPrivateKey,
  type MacKey,
  type OpenedEnvelope,
  openEnvelope as openVerified,
  type ProtectedHeader,
  parseProtectedHeader,
  parseSigningKeyDocument,
  type SigningKeyInfo,
} from '../envelope/index.ts';
import { openKem, openMac, suiteOf, type WelcomedClientKey } from './client-key.ts';
import {
  GATEWAY_LIMITS,
  gatewayAddress,
  isConfidential,
  readBody,
  untilAborted,
} from './gateway-transport.ts';

/** What else the opener knows; tenant and key are always those of the client key. */
export type Expectation = Omit<ExpectedHeader, 'tenant_id' | 'recipient_key_id'>;

export interface PinningOptions {
  /** Address of the gateway; that of the welcome where left out. */
  readonly url?: string;
  /** `fetch` of the platform where left out. */
  readonly fetch?: typeof fetch;
  /** Sends over clear http to another machine, too: for networks that are trusted as TLS is. Default `false`. */
  readonly insecureHttp?: boolean;
  /**
   * Called with the client key whenever its pins changed, to be kept in place of the old one
   * (`saveClientKey` fits). What it throws is thrown by the call that was opening.
   */
  readonly onPins?: (key: WelcomedClientKey) => unknown;
  /** Milliseconds since 1970; `Date.now` where left out. */
  readonly now?: () => number;
}

export const PIN_LIMITS = Object.freeze({
  /** Milliseconds between two readings of the document at least. */
  refreshInterval: 60_000,
});

interface Handles {
  readonly suite: AwaitableSuite;
  readonly recipient: KemPrivateKey;
  readonly macKey: MacKey;
}

async function openHandles(key: WelcomedClientKey): Promise<Handles> {
  const suite = await suiteOf(key);
  const [recipient, macKey] = await Promise.all([openKem(suite, key), openMac(suite, key)]);
  return { suite, recipient, macKey };
}

function openWith(
  { suite, recipient, macKey }: Handles,
  { tenantId, keyId, signingKeys }: WelcomedClientKey,
  envelope: unknown,
  expected: Expectation,
): Promise<OpenedEnvelope> {
  return openVerified(suite, envelope, {
    recipient,
    macKey,
    trustedSigningKeys: signingKeys,
    expected: { ...expected, tenant_id: tenantId, recipient_key_id: keyId },
  });
}

/** The header that an envelope claims, or `null` where it has none. Nothing of it is verified. */
export function claimedHeader(envelope: unknown): ProtectedHeader | null {
  const encrypted: unknown = isObject(envelope) ? Reflect.get(envelope, 'encrypted') : null;
  const text: unknown = isObject(encrypted) ? Reflect.get(encrypted, 'protected') : null;
  const isShort = typeof text === 'string' && text.length <= 2 * ENVELOPE_LIMITS.maxProtected;
  const bytes = isShort ? parseBase64(text) : null;
  return bytes === null ? null : parseProtectedHeader(bytes);
}

/** Whether an envelope claims to be for `key`, by a signing key that is not among its pins. */
function isBySuccessor(envelope: unknown, key: WelcomedClientKey): boolean {
  const header = claimedHeader(envelope);
  const isOwn = header?.tenant_id === key.tenantId && header.recipient_key_id === key.keyId;
  return isOwn && !key.signingKeys.some(({ kid }) => kid === header.signing_kid);
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const samePins = (a: readonly SigningKeyInfo[], b: readonly SigningKeyInfo[]): boolean =>
  a.length === b.length &&
  a.every(({ kid, status, notAfter }, index) => {
    const other = b[index];
    return kid === other?.kid && status === other.status && notAfter === other.notAfter;
  });

export class PinnedOpener {
  #key: WelcomedClientKey;
  #handles: Promise<Handles> | undefined;
  #refreshing: Promise<void> | undefined;
  #nextRefresh = 0;
  /** Settled when the key was handed over that was to be kept last. */
  #kept: Promise<void> = Promise.resolve();
  readonly #options: PinningOptions;

  /** Throws TypeError for a key that no gateway has welcomed, and for an id that is none. */
  constructor(key: WelcomedClientKey, options: PinningOptions = {}) {
    if (key.state !== 'WELCOMED' || !isId('tenant', key.tenantId) || !isId('clientKey', key.keyId)) {
      throw new TypeError('"clientKey" must be a client key that a gateway has welcomed: register it first');
    }
    this.#key = key;
    this.#options = options;
  }

  /** The client key with the pins as they are now. */
  get key(): WelcomedClientKey {
    return this.#key;
  }

  /** The primitives in use; the same for the opener's whole life. */
  async suite(): Promise<AwaitableSuite> {
    return (await this.#open()).suite;
  }

  /** Throws EnvelopeOpenError for whatever is not accepted. */
  async open(envelope: unknown, expected: Expectation = {}, signal?: AbortSignal): Promise<OpenedEnvelope> {
    const handles = await this.#open();
    const tried = this.#key;
    try {
      return await openWith(handles, tried, envelope, expected);
    } catch (error) {
      if (!(error instanceof EnvelopeOpenError) || !isBySuccessor(envelope, tried)) throw error;
    }
    // Another answer may have brought the pins up to date meanwhile.
    if (isBySuccessor(envelope, this.#key)) await untilAborted(this.#refresh(), signal);
    return openWith(handles, this.#key, envelope, expected);
  }

  /** Keeps the verifier keys of the audit log from now on; nothing happens where some are kept already. */
  async pinLogKeys(logKeys: readonly string[]): Promise<void> {
    if (this.#key.logKeys !== undefined) return;
    this.#key = Object.freeze({ ...this.#key, logKeys: Object.freeze([...logKeys]) });
    await this.#keep();
  }

  #open(): Promise<Handles> {
    this.#handles ??= openHandles(this.#key).catch((error: unknown) => {
      this.#handles = undefined;
      throw error;
    });
    return this.#handles;
  }

  /** Joins the reading under way, begins one, or does nothing where the last one is too recent. */
  #refresh(): Promise<void> {
    const now = (this.#options.now ?? Date.now)();
    if (this.#refreshing === undefined && now >= this.#nextRefresh) {
      this.#nextRefresh = now + PIN_LIMITS.refreshInterval;
      this.#refreshing = this.#extend().finally(() => {
        this.#refreshing = undefined;
      });
    }
    return this.#refreshing ?? Promise.resolve();
  }

  async #extend(): Promise<void> {
    const { suite } = await this.#open();
    const { signingKeys } = this.#key;
    const pins = await this.#readPins(suite).catch(() => signingKeys);
    if (samePins(pins, signingKeys)) return;
    // The keys of the log may have been pinned meanwhile.
    this.#key = Object.freeze({ ...this.#key, signingKeys: pins });
    await this.#keep();
  }

  /** Hands the key over to be kept, one after the other, so that the last that is kept is the newest. */
  #keep(): Promise<void> {
    const keeping = this.#kept.then(async () => {
      await this.#options.onPins?.(this.#key);
    });
    this.#kept = keeping.catch(() => undefined);
    return keeping;
  }

  /** The pins after reading the document. Throws where it is not to be had or not one of ours. */
  async #readPins(suite: AwaitableSuite): Promise<readonly SigningKeyInfo[]> {
    const { url = this.#key.gateway, fetch = globalThis.fetch, insecureHttp = false } = this.#options;
    const { tenantId, signingKeys } = this.#key;
    const address = gatewayAddress(url, `.well-known/sealdesk/${tenantId}/keys.json`);
    if (!insecureHttp && !isConfidential(address)) throw new EnvelopeOpenError();
    const response = await fetch(address, {
      headers: { accept: 'application/jwk-set+json, application/json' },
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      signal: AbortSignal.timeout(GATEWAY_LIMITS.timeoutMilliseconds),
    });
    if (response.status !== 200) throw new EnvelopeOpenError();
    const text = parseUtf8(await readBody(response, GATEWAY_LIMITS.maxAnswer));
    const document = await parseSigningKeyDocument(suite, JSON.parse(text ?? ''));
    if (document === null) throw new EnvelopeOpenError();
    return extendPins(suite, { tenantId, pins: signingKeys, document });
  }
}

/**
 * Opens one envelope with `key` and its pins as they are, offline: an answer of `proxyOutbound`, an entry
 * of the feed. Throws EnvelopeOpenError for whatever is not accepted. For many, or where the gateway may
 * have changed its signing key, use `createClient`.
 */
export async function openEnvelope(
  key: WelcomedClientKey,
  envelope: unknown,
  expected: Expectation = {},
): Promise<OpenedEnvelope> {
  return openWith(await openHandles(key), key, envelope, expected);
}
