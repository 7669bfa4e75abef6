/**
 * A small HTTP server that speaks the JSON protocol of AWS KMS (`application/x-amz-json-1.1`):
 * GenerateDataKey, Encrypt, Decrypt, DescribeKey, with encryption contexts honoured, and with outages
 * on demand. It checks that requests are signed, not whether the signature is right. Test use only.
 */
import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type KmsOperation = 'GenerateDataKey' | 'Encrypt' | 'Decrypt' | 'DescribeKey';
/** `hang` answers nothing until the server closes, `drop` closes the socket, `garbage` is HTML with status 200. */
export type KmsFault = 'throttle' | 'internal' | 'unavailable' | 'hang' | 'drop' | 'garbage' | 'short-key';
type KeyState = 'enabled' | 'disabled' | 'denied' | 'pending-deletion';

export interface KmsRequest {
  readonly operation: string;
  readonly keyId: string | null;
  readonly encryptionContext: Readonly<Record<string, string>> | null;
  readonly outcome: string;
}

export interface KmsServer extends AsyncDisposable {
  readonly endpoint: string;
  readonly region: string;
  /** What the AWS SDK must find in the environment to sign its requests. */
  readonly environment: Readonly<Record<string, string>>;
  readonly defaultKeyArn: string;
  /** Every request so far, in the order of arrival. */
  readonly requests: readonly KmsRequest[];
  /** Makes a further key and answers its ARN. */
  createKey(): string;
  setKeyState(arn: string, state: KeyState): void;
  /** The next `count` requests of `operation` (of any, when left out) fail so; Infinity until `heal`. */
  failNext(fault: KmsFault, count?: number, operation?: KmsOperation): void;
  heal(): void;
  /** Resolves when `count` requests have arrived since the server was opened. */
  arrived(count: number): Promise<void>;
}

class KmsFailure extends Error {
  readonly status: number;
  readonly type: string;
  constructor(type: string, status = 400) {
    super(`${type} (simulated) for arn:aws:kms:eu-test-1:111122223333:key/secret-name`);
    this.type = type;
    this.status = status;
  }
}

const REGION = 'eu-test-1';
const KEY_ID_SIZE = 36;
const MAX_PLAINTEXT = 4096;

interface Key {
  readonly arn: string;
  readonly bytes: Buffer;
  state: KeyState;
}

type Body = Readonly<Record<string, unknown>>;

export async function openKmsServer(): Promise<KmsServer> {
  const server = new FakeKms();
  await server.listen();
  return server;
}

class FakeKms implements KmsServer {
  readonly region = REGION;
  readonly environment = {
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'test-only-secret-access-key',
    AWS_REGION: REGION,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  readonly requests: KmsRequest[] = [];
  readonly defaultKeyArn: string;
  readonly #keys = new Map<string, Key>();
  readonly #server: Server;
  readonly #arrivals: { readonly count: number; readonly resolve: () => void }[] = [];
  #received = 0;
  #fault: { readonly kind: KmsFault; left: number; readonly operation: KmsOperation | undefined } | null =
    null;

  constructor() {
    this.defaultKeyArn = this.createKey();
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
  }

  async listen(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.listen(0, '127.0.0.1', resolve);
    await promise;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  createKey(): string {
    const arn = `arn:aws:kms:${REGION}:111122223333:key/${randomUUID()}`;
    this.#keys.set(arn, { arn, bytes: randomBytes(32), state: 'enabled' });
    return arn;
  }

  setKeyState(arn: string, state: KeyState): void {
    this.#key(arn).state = state;
  }

  failNext(kind: KmsFault, count = 1, operation?: KmsOperation): void {
    this.#fault = { kind, left: count, operation };
  }

  heal(): void {
    this.#fault = null;
  }

  arrived(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#arrivals.push({ count, resolve });
    this.#announce();
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }

  #announce(): void {
    for (const { count, resolve } of this.#arrivals) if (this.#received >= count) resolve();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Body;
    const operation = String(request.headers['x-amz-target']).replace(/^TrentService\./, '');
    this.#received += 1;
    const record = (outcome: string): void => {
      this.requests.push({
        operation,
        keyId: typeof body['KeyId'] === 'string' ? body['KeyId'] : null,
        encryptionContext: (body['EncryptionContext'] as Record<string, string> | undefined) ?? null,
        outcome,
      });
      this.#announce();
    };
    const fault = this.#takeFault(operation);
    if (fault === 'hang') return record('hang');
    if (fault === 'drop') {
      record('drop');
      response.socket?.destroy();
      return;
    }
    if (fault === 'garbage') {
      record('garbage');
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>a proxy page</html>');
      return;
    }
    try {
      if (!request.headers.authorization?.startsWith('AWS4-HMAC-SHA256 ')) {
        throw new KmsFailure('MissingAuthenticationToken', 403);
      }
      if (fault === 'throttle') throw new KmsFailure('ThrottlingException');
      if (fault === 'internal') throw new KmsFailure('KMSInternalException', 500);
      if (fault === 'unavailable') throw new KmsFailure('', 503);
      const answer = this.#answer(operation, body);
      if (fault === 'short-key') Object.assign(answer, { Plaintext: randomBytes(16).toString('base64') });
      record('ok');
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(answer));
    } catch (error) {
      const failure = error instanceof KmsFailure ? error : new KmsFailure('KMSInternalException', 500);
      record(failure.type);
      response
        .writeHead(failure.status, { 'content-type': 'application/x-amz-json-1.1' })
        .end(failure.type === '' ? '' : JSON.stringify({ __type: failure.type, message: failure.message }));
    }
  }

  #takeFault(operation: string): KmsFault | null {
    const fault = this.#fault;
    if (fault === null || (fault.operation !== undefined && fault.operation !== operation)) return null;
    fault.left -= 1;
    if (fault.left <= 0) this.#fault = null;
    return fault.kind;
  }

  #answer(operation: string, body: Body): Record<string, unknown> {
    switch (operation) {
      case 'DescribeKey': {
        const key = this.#readable(body);
        const enabled = key.state === 'enabled';
        return { KeyMetadata: { Arn: key.arn, KeyId: key.arn.slice(-KEY_ID_SIZE), Enabled: enabled } };
      }
      case 'GenerateDataKey': {
        if (body['KeySpec'] !== 'AES_256') throw new KmsFailure('ValidationException');
        const key = this.#usable(body);
        const plaintext = randomBytes(32);
        return {
          KeyId: key.arn,
          Plaintext: plaintext.toString('base64'),
          CiphertextBlob: wrap(key, plaintext, body).toString('base64'),
        };
      }
      case 'Encrypt': {
        const key = this.#usable(body);
        const plaintext = Buffer.from(String(body['Plaintext']), 'base64');
        if (plaintext.length === 0 || plaintext.length > MAX_PLAINTEXT)
          throw new KmsFailure('ValidationException');
        return { KeyId: key.arn, CiphertextBlob: wrap(key, plaintext, body).toString('base64') };
      }
      case 'Decrypt':
        return this.#decrypt(body);
      default:
        throw new KmsFailure('UnknownOperationException');
    }
  }

  #decrypt(body: Body): Record<string, unknown> {
    const blob = Buffer.from(String(body['CiphertextBlob']), 'base64');
    const wrappedBy = [...this.#keys.values()].find((key) =>
      key.arn.endsWith(blob.subarray(0, KEY_ID_SIZE).toString('latin1')),
    );
    if (body['KeyId'] !== undefined) {
      const named = this.#usable(body);
      if (wrappedBy !== undefined && named !== wrappedBy) throw new KmsFailure('IncorrectKeyException');
    }
    if (wrappedBy === undefined) throw new KmsFailure('InvalidCiphertextException');
    return { KeyId: wrappedBy.arn, Plaintext: unwrap(wrappedBy, blob, body).toString('base64') };
  }

  #key(keyId: unknown): Key {
    const key = this.#keys.get(String(keyId));
    if (key === undefined) throw new KmsFailure('NotFoundException');
    return key;
  }

  #readable(body: Body): Key {
    const key = this.#key(body['KeyId']);
    if (key.state === 'denied') throw new KmsFailure('AccessDeniedException');
    return key;
  }

  #usable(body: Body): Key {
    const key = this.#readable(body);
    if (key.state === 'disabled') throw new KmsFailure('DisabledException');
    if (key.state === 'pending-deletion') throw new KmsFailure('KMSInvalidStateException');
    return key;
  }
}

function contextBytes(body: Body): Buffer {
  const context = Object.entries((body['EncryptionContext'] as Record<string, string> | undefined) ?? {});
  return Buffer.from(JSON.stringify(context.sort(([a], [b]) => (a < b ? -1 : 1))));
}

/** Key id (36) ‖ nonce (12) ‖ ciphertext ‖ tag (16). */
function wrap(key: Key, plaintext: Buffer, body: Body): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce).setAAD(contextBytes(body));
  const ciphertext = [cipher.update(plaintext), cipher.final()];
  return Buffer.concat([
    Buffer.from(key.arn.slice(-KEY_ID_SIZE), 'latin1'),
    nonce,
    ...ciphertext,
    cipher.getAuthTag(),
  ]);
}

function unwrap(key: Key, blob: Buffer, body: Body): Buffer {
  const end = blob.length - 16;
  if (end <= KEY_ID_SIZE + 12) throw new KmsFailure('InvalidCiphertextException');
  try {
    const nonce = blob.subarray(KEY_ID_SIZE, KEY_ID_SIZE + 12);
    const decipher = createDecipheriv('aes-256-gcm', key.bytes, nonce, { authTagLength: 16 });
    decipher.setAAD(contextBytes(body)).setAuthTag(blob.subarray(end));
    return Buffer.concat([decipher.update(blob.subarray(KEY_ID_SIZE + 12, end)), decipher.final()]);
  } catch {
    throw new KmsFailure('InvalidCiphertextException');
  }
}
