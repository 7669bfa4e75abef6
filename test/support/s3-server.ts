/**
 * A small HTTP server that speaks as much of the API of S3 as the anchor uses, for one bucket with versions
 * and object lock, addressed by path: PutObject with `If-None-Match`, GetObject, ListObjectVersions,
 * DeleteObject. It checks that requests are signed, not whether the signature is right. Test use only.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** `hang` answers nothing until the server closes. */
export type S3Fault = 'unavailable' | 'denied' | 'hang';

export interface S3Version {
  readonly key: string;
  readonly versionId: string;
  readonly body: string;
  readonly mode: string | null;
  readonly retainUntil: Date | null;
  readonly isDeleteMarker: boolean;
}

export interface S3Server extends AsyncDisposable {
  readonly endpoint: string;
  readonly bucket: string;
  /** What the AWS SDK must find in the environment to sign its requests. */
  readonly environment: Readonly<Record<string, string>>;
  /** Every version in the order of writing. */
  readonly versions: readonly S3Version[];
  /** Operations so far, by name. */
  readonly operations: readonly string[];
  /** Puts a version there without asking anybody; hides an object by a delete marker where `body` is `null`. */
  put(key: string, body: string | null): void;
  /** Every request fails so, until `heal`. */
  fail(fault: S3Fault): void;
  heal(): void;
}

export async function openS3Server(): Promise<S3Server> {
  const server = new FakeS3();
  await server.listen();
  return server;
}

class S3Failure extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

class FakeS3 implements S3Server {
  readonly bucket = 'sealdesk-anchor';
  readonly environment = {
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'test-only-secret-access-key',
    AWS_REGION: 'eu-test-1',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  readonly versions: S3Version[] = [];
  readonly operations: string[] = [];
  readonly #server: Server;
  #fault: S3Fault | null = null;

  constructor() {
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

  put(key: string, body: string | null): void {
    this.#add({ key, body: body ?? '', mode: null, retainUntil: null, isDeleteMarker: body === null });
  }

  fail(fault: S3Fault): void {
    this.#fault = fault;
  }

  heal(): void {
    this.#fault = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }

  #add(version: Omit<S3Version, 'versionId'>): void {
    this.versions.push({ ...version, versionId: randomUUID() });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', this.endpoint);
    try {
      if (this.#fault === 'hang') return;
      if (this.#fault === 'unavailable') throw new S3Failure(503, 'ServiceUnavailable');
      if (this.#fault === 'denied') throw new S3Failure(403, 'AccessDenied');
      if (!request.headers.authorization?.startsWith('AWS4-HMAC-SHA256 '))
        throw new S3Failure(403, 'AccessDenied');
      const [, bucket, ...rest] = decodeURIComponent(url.pathname).split('/');
      if (bucket !== this.bucket) throw new S3Failure(404, 'NoSuchBucket');
      const key = rest.join('/');
      const answer = this.#answer(request, url, key, Buffer.concat(chunks).toString('utf8'));
      response.writeHead(200, {
        'content-type': answer.type,
        'content-length': Buffer.byteLength(answer.body),
      });
      response.end(answer.body);
    } catch (error) {
      const { status, code } = error instanceof S3Failure ? error : new S3Failure(500, 'InternalError');
      response.writeHead(status, { 'content-type': 'application/xml' });
      response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>simulated</Message></Error>`);
    }
  }

  #answer({ method, headers }: IncomingMessage, url: URL, key: string, body: string) {
    const empty = { type: 'application/xml', body: '' };
    if (method === 'PUT' && key !== '') {
      this.operations.push('PutObject');
      const latest = this.versions.findLast((version) => version.key === key);
      if (headers['if-none-match'] === '*' && latest !== undefined && !latest.isDeleteMarker) {
        throw new S3Failure(412, 'PreconditionFailed');
      }
      const until = headers['x-amz-object-lock-retain-until-date'];
      this.#add({
        ...{ key, body, isDeleteMarker: false },
        mode: String(headers['x-amz-object-lock-mode'] ?? '') || null,
        retainUntil: until === undefined ? null : new Date(String(until)),
      });
      return empty;
    }
    if (method === 'GET' && url.searchParams.has('versions')) {
      this.operations.push('ListObjectVersions');
      return { type: 'application/xml', body: this.#list(url) };
    }
    if (method === 'GET' && key !== '') {
      this.operations.push('GetObject');
      const wanted = url.searchParams.get('versionId');
      const found = this.versions.findLast(
        (version) => version.key === key && (wanted === null || version.versionId === wanted),
      );
      if (found === undefined || found.isDeleteMarker) throw new S3Failure(404, 'NoSuchKey');
      return { type: 'text/plain', body: found.body };
    }
    throw new S3Failure(501, 'NotImplemented');
  }

  /** By key, and of one key the newest version first, as S3 does. */
  #list({ searchParams }: URL): string {
    const prefix = searchParams.get('prefix') ?? '';
    const marker = searchParams.get('key-marker') ?? '';
    const versionMarker = searchParams.get('version-id-marker');
    const max = Number(searchParams.get('max-keys') ?? 1_000);
    const matching = this.versions
      .toReversed()
      .filter(({ key }) => key.startsWith(prefix) && (versionMarker === null ? key > marker : key >= marker))
      .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    const begin =
      versionMarker === null ? 0 : matching.findIndex((one) => one.versionId === versionMarker) + 1;
    const page = matching.slice(begin, begin + max);
    const isTruncated = matching.length > begin + page.length;
    const last = page.at(-1);
    const entries = page.map(({ key, versionId, isDeleteMarker }) => {
      const tag = isDeleteMarker ? 'DeleteMarker' : 'Version';
      return `<${tag}><Key>${key}</Key><VersionId>${versionId}</VersionId></${tag}>`;
    });
    const next = isTruncated
      ? `<NextKeyMarker>${last?.key}</NextKeyMarker><NextVersionIdMarker>${last?.versionId}</NextVersionIdMarker>`
      : '';
    return `<?xml version="1.0"?><ListVersionsResult><IsTruncated>${isTruncated}</IsTruncated>${next}${entries.join('')}</ListVersionsResult>`;
  }
}
