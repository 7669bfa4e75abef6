/**
 * Registering a client key over the network: ask for the tenant, prove the ML-DSA half, take the
 * welcome, prove the ML-KEM half. Afterwards the key is CONFIRMED; an ADMIN or OPERATOR still has to
 * map it before anything is sealed to it.
 */
import { encodeBase64, isId } from '../base/index.ts';
import { type Suite, signRegistration } from '../envelope/index.ts';
import { acceptWelcome } from './accept-welcome.ts';
import { callGateway, GatewayAnswerError, type GatewayConnection, pick } from './gateway.ts';
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

export interface RegisterInput extends GatewayConnection {
  /** Any API key of the tenant. */
  readonly apiKey: string;
  readonly keyFile: KeyFile;
  /** Milliseconds since 1970; `Date.now` where left out. */
  readonly now?: () => number;
  /** Thumbprint of the gateway's signing key where it is known from elsewhere; else the first one seen is trusted. */
  readonly signingKid?: string;
  /** Called with the welcomed file before the confirmation is sent, so that nothing is lost if that fails. */
  readonly keep?: (keyFile: WelcomedKeyFile) => Promise<void>;
}

export interface Registered {
  readonly keyFile: WelcomedKeyFile;
  /** What the gateway says about the key now. */
  readonly status: string;
}

/** Throws what the calls throw (see `callGateway`), and EnvelopeOpenError for a welcome that is not accepted. */
export async function registerClientKey(suite: Suite, input: RegisterInput): Promise<Registered> {
  const { keyFile, now = Date.now } = input;
  const { kem, sig } = importKeys(suite, keyFile);
  const tenantId = pick(await callGateway(input, VIEWER, {}), 'viewer', 'tenant', 'id');
  if (!isId('tenant', tenantId)) throw new GatewayAnswerError('This API key belongs to no tenant.');

  const issuedAt = Math.floor(now() / 1000);
  const claim = { tenant_id: tenantId, kem_kid: kem.kid, sig_kid: sig.kid, issued_at: issuedAt };
  const proof = encodeBase64(await signRegistration(sig, claim));
  const jwks = { keys: publicJwkSet(suite, keyFile).keys.map((jwk) => ({ ...jwk })) };
  const answer = await callGateway(input, REGISTER, { input: { jwks, proof, issuedAt } });

  const { signingKid } = input;
  const accepted = await acceptWelcome(suite, keyFile, pick(answer, 'registerClientKey', 'welcome'), {
    tenantId,
    ...(signingKid === undefined ? {} : { signingKid }),
  });
  await input.keep?.(accepted.keyFile);
  const { fetch, signal, insecureHttp = false } = input;
  const status = await confirmClientKey({
    gateway: input.gateway,
    fetch,
    insecureHttp,
    ...(signal === undefined ? {} : { signal }),
    keyId: accepted.keyFile.key_id,
    mac: accepted.confirmationMac,
  });
  return { keyFile: accepted.keyFile, status };
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
