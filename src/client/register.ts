/**
 * Registering a client key over the network: ask for the tenant, prove the ML-DSA half, take the
 * welcome, prove the ML-KEM half. Afterwards the key is CONFIRMED; an ADMIN or OPERATOR still has to
 * map it before anything is sealed to it.
 */
import { encodeBase64, isId, type JsonObject } from '../base/index.ts';
import { type PublicJwkSet, type SigningKey, type Suite, signRegistration } from '../envelope/index.ts';
import {
  type AcceptedWelcome,
  acceptWelcome,
  confirmationOf,
  type WelcomedWithMac,
  type WelcomeExpectation,
  welcomeClientKey,
} from './accept-welcome.ts';
import { type ClientKey, openSigning, suiteOf, type WelcomedClientKey } from './client-key.ts';
import { callGateway, type GatewayConnection, pick } from './gateway.ts';
import { GatewayAnswerError } from './gateway-transport.ts';
import { importKeys, type KeyFile, publicJwkSet, type WelcomedKeyFile } from './key-file.ts';

const VIEWER = 'query SealdeskViewer { viewer { tenant { id } } }';
const REGISTER = `mutation SealdeskRegister($input: RegisterClientKeyInput!) {
  registerClientKey(input: $input) { clientKey { id status } welcome }
}`;
const CONFIRM = `mutation SealdeskConfirm($input: ConfirmClientKeyInput!) {
  confirmClientKey(input: $input) { clientKey { id status } }
}`;

/** A status is a word of the schema; text of another form is not repeated to anybody. */
const STATUS = /^[A-Z_]{1,32}$/;

export interface RegistrationInput extends GatewayConnection {
  /** Milliseconds since 1970; `Date.now` where left out. */
  readonly now?: () => number;
  /** Thumbprint of the gateway's signing key where it is known from elsewhere; else the first one seen is trusted. */
  readonly signingKid?: string;
}

/** A key of either form, as registering sees it. */
export interface Registrant<Welcomed> {
  readonly sig: SigningKey;
  readonly jwks: PublicJwkSet;
  accept(welcome: unknown, expected: WelcomeExpectation): Promise<Welcomed>;
  /** Called before the confirmation is sent, so that nothing is lost if that fails. */
  keep(welcomed: Welcomed): unknown;
  confirmation(welcomed: Welcomed): { readonly keyId: string; readonly mac: string };
}

async function register<Welcomed>(
  registrant: Registrant<Welcomed>,
  input: RegistrationInput,
): Promise<Enrolled<Welcomed>> {
  const tenantId = pick(await callGateway(input, VIEWER, {}), 'viewer', 'tenant', 'id');
  if (!isId('tenant', tenantId)) throw new GatewayAnswerError('This API key belongs to no tenant.');
  return enrol(registrant, input, { tenantId }, async (registration) =>
    pick(await callGateway(input, REGISTER, { input: registration }), 'registerClientKey', 'welcome'),
  );
}

/** What a gateway is sent of a new key, with its proof for one tenant. */
export interface KeyRegistration extends JsonObject {
  readonly jwks: JsonObject;
  /** Base64. */
  readonly proof: string;
  readonly issuedAt: number;
}

export interface Enrolled<Welcomed> {
  readonly welcomed: Welcomed;
  readonly status: string;
}

/** Has a key welcomed, by `request`, which answers the welcome, and confirms it. */
export async function enrol<Welcomed>(
  registrant: Registrant<Welcomed>,
  input: RegistrationInput,
  expected: WelcomeExpectation & { readonly tenantId: string },
  request: (registration: KeyRegistration) => Promise<unknown>,
): Promise<Enrolled<Welcomed>> {
  const { now = Date.now, signingKid, gateway, fetch, signal, insecureHttp = false } = input;
  const { sig, jwks } = registrant;
  const { tenantId } = expected;
  const issuedAt = Math.floor(now() / 1000);
  const claim = { tenant_id: tenantId, kem_kid: jwks.keys[0].kid, sig_kid: sig.kid, issued_at: issuedAt };
  const proof = encodeBase64(await signRegistration(sig, claim));
  const keys = jwks.keys.map((jwk) => ({ ...jwk }));
  const welcomed = await registrant.accept(await request({ jwks: { keys }, proof, issuedAt }), {
    ...expected,
    ...(signingKid === undefined ? {} : { signingKid }),
  });
  await registrant.keep(welcomed);
  const status = await confirmClientKey({
    ...{ gateway, fetch, insecureHttp },
    ...(signal === undefined ? {} : { signal }),
    ...registrant.confirmation(welcomed),
  });
  return { welcomed, status };
}

export interface RegisterKeyFileInput extends RegistrationInput {
  /** Any API key of the tenant. */
  readonly apiKey: string;
  readonly keyFile: KeyFile;
  /** Called with the welcomed file before the confirmation is sent, so that nothing is lost if that fails. */
  readonly keep?: (keyFile: WelcomedKeyFile) => Promise<void>;
}

export interface RegisteredKeyFile {
  readonly keyFile: WelcomedKeyFile;
  /** What the gateway says about the key now. */
  readonly status: string;
}

/**
 * Registers the key of a key file. Throws what the calls throw (see `callGateway`), and EnvelopeOpenError
 * for a welcome that is not accepted.
 */
export async function registerKeyFile(suite: Suite, input: RegisterKeyFileInput): Promise<RegisteredKeyFile> {
  const { keyFile, keep } = input;
  const { welcomed, status } = await register(
    keyFileRegistrant(suite, keyFile, async (accepted) => keep?.(accepted)),
    input,
  );
  return { keyFile: welcomed.keyFile, status };
}

/** The key of a key file, as registering sees it. */
export function keyFileRegistrant(
  suite: Suite,
  keyFile: KeyFile,
  keep: (keyFile: WelcomedKeyFile) => Promise<void>,
): Registrant<AcceptedWelcome> {
  return {
    sig: importKeys(suite, keyFile).sig,
    jwks: publicJwkSet(suite, keyFile),
    accept: (welcome, expected) => acceptWelcome(suite, keyFile, welcome, expected),
    keep: (accepted) => keep(accepted.keyFile),
    confirmation: (accepted) => ({ keyId: accepted.keyFile.key_id, mac: accepted.confirmationMac }),
  };
}

export interface RegisterInput {
  /** Address of the gateway. */
  readonly url: string;
  /** Any API key of the tenant, used for this once. Left out where a server of yours adds it on the way. */
  readonly apiKey?: string;
  /**
   * Called with the welcomed key before the confirmation is sent: keep it there (`saveClientKey` fits), so
   * that nothing is lost if that fails; {@link confirmKey} then confirms it.
   */
  readonly keep: (key: WelcomedClientKey) => unknown;
  /** Thumbprint of the gateway's signing key where it is known from elsewhere; else the first one seen is trusted. */
  readonly signingKid?: string;
  /** `fetch` of the platform where left out. */
  readonly fetch?: typeof fetch;
  readonly signal?: AbortSignal;
  /** Sends over clear http to another machine, too. Default `false`. */
  readonly insecureHttp?: boolean;
  /** Milliseconds since 1970; `Date.now` where left out. */
  readonly now?: () => number;
}

export interface Registered {
  readonly clientKey: WelcomedClientKey;
  /** What the gateway says about the key now: CONFIRMED. */
  readonly status: string;
}

/**
 * Registers and confirms `key`. Throws what the calls throw (see `callGateway`), and EnvelopeOpenError for
 * a welcome that is not accepted.
 */
export async function registerClientKey(key: ClientKey, input: RegisterInput): Promise<Registered> {
  const { url: gateway, fetch = globalThis.fetch, keep } = input;
  const registrant = await clientKeyRegistrant(key, keep);
  const { welcomed, status } = await register(registrant, { ...input, gateway, fetch });
  return { clientKey: welcomed.clientKey, status };
}

/** A client key, as registering sees it. */
export async function clientKeyRegistrant(
  key: ClientKey,
  keep: (key: WelcomedClientKey) => unknown,
): Promise<Registrant<WelcomedWithMac>> {
  return {
    sig: await openSigning(await suiteOf(key), key),
    jwks: key.jwks,
    accept: (welcome, expected) => welcomeClientKey(key, welcome, expected),
    keep: (accepted) => keep(accepted.clientKey),
    confirmation: (accepted) => ({ keyId: accepted.clientKey.keyId, mac: accepted.confirmationMac }),
  };
}

/** Confirms a key that was welcomed, once more if need be. The key's status afterwards. */
export async function confirmKey(
  key: WelcomedClientKey,
  options: Pick<RegisterInput, 'fetch' | 'signal' | 'insecureHttp'> & { readonly url?: string } = {},
): Promise<string> {
  const { url = key.gateway, fetch = globalThis.fetch, ...rest } = options;
  return confirmClientKey({
    ...rest,
    gateway: url,
    fetch,
    keyId: key.keyId,
    mac: await confirmationOf(key),
  });
}

export interface ConfirmInput extends GatewayConnection {
  readonly keyId: string;
  /** From `acceptWelcome`. */
  readonly mac: string;
}

/** Sends the confirmation, which is its own login. The key's status afterwards. */
export async function confirmClientKey(input: ConfirmInput): Promise<string> {
  const answer = await callGateway(input, CONFIRM, { input: { keyId: input.keyId, mac: input.mac } });
  const status = pick(answer, 'confirmClientKey', 'clientKey', 'status');
  if (typeof status !== 'string' || !STATUS.test(status))
    throw new GatewayAnswerError('The gateway did not say what became of the key.');
  return status;
}
