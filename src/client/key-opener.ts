/**
 * Opening with the key of a client and, while it is being rotated, with its successor: envelopes sealed to either are
 * opened, each with its own key and pins. One of the two is in use, that is, named to the gateway as the recipient;
 * the other takes its place when nothing is sealed to that one any more.
 */
import type { AwaitableSuite, OpenedEnvelope } from '../envelope/index.ts';
import type { WelcomedClientKey } from './client-key.ts';
import { claimedHeader, type Expectation, PinnedOpener, type PinningOptions } from './pinned-opener.ts';

export interface SuccessionOptions extends PinningOptions {
  /**
   * The key that takes the client key's place (`rotateClientKey`), as soon as it is welcomed. It is used when the gateway
   * seals nothing to the client key any more.
   */
  readonly successor?: WelcomedClientKey;
}

/** What the parts of a client open with. */
export class KeyOpener {
  #current: PinnedOpener;
  #other: PinnedOpener | null;

  /** Throws TypeError for a key that no gateway has welcomed, and for a successor in another tenant. */
  constructor(key: WelcomedClientKey, { successor, ...options }: SuccessionOptions = {}) {
    // The keys of the log are the tenant's: what one of the two came to trust holds for both.
    const logKeys = key.logKeys ?? successor?.logKeys;
    const trusting = (own: WelcomedClientKey): WelcomedClientKey =>
      logKeys === undefined ? own : Object.freeze({ ...own, logKeys });
    this.#current = new PinnedOpener(trusting(key), options);
    this.#other = successor === undefined ? null : new PinnedOpener(trusting(successor), options);
    if (successor !== undefined && successor.tenantId !== key.tenantId) {
      throw new TypeError('"successor" must be a key of the same tenant as "clientKey"');
    }
  }

  /** The key in use, with its pins as they are now. */
  get key(): WelcomedClientKey {
    return this.#current.key;
  }

  /** The other key, `null` where there is none. */
  get other(): WelcomedClientKey | null {
    return this.#other?.key ?? null;
  }

  /** Uses the other key from now on. */
  turn(): void {
    if (this.#other === null) throw new TypeError('There is no other key to turn to');
    [this.#current, this.#other] = [this.#other, this.#current];
  }

  /** Pins the keys of the audit log for both keys, where none are yet. */
  async pinLogKeys(logKeys: readonly string[]): Promise<void> {
    await this.#current.pinLogKeys(logKeys);
    await this.#other?.pinLogKeys(logKeys);
  }

  /** The primitives in use. */
  suite(): Promise<AwaitableSuite> {
    return this.#current.suite();
  }

  /** Throws EnvelopeOpenError for whatever is not accepted by the key that the envelope claims to be for. */
  async open(envelope: unknown, expected: Expectation = {}, signal?: AbortSignal): Promise<OpenedEnvelope> {
    const other = this.#other;
    const isForOther = other !== null && claimedHeader(envelope)?.recipient_key_id === other.key.keyId;
    return (isForOther ? other : this.#current).open(envelope, expected, signal);
  }
}

/** Whether a failure says that nothing is sealed to the key, for now or for good. */
export function tellsOfRefusedKey(code: unknown): boolean {
  return code === 'CLIENT_KEY_NOT_MAPPED' || code === 'KEY_REVOKED';
}
