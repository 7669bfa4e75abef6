/**
 * The anchor in a bucket of S3 or of what speaks its API, with versions and object lock: each checkpoint
 * is an object of its own, written once and locked for some days, so that whoever can write the database
 * and the bucket can add to it but not take from it. Versions are listed and not objects, since a deleted
 * object of a locked version is only hidden.
 *
 * The SDK is loaded when this is opened; credentials, and region and endpoint where they are not given,
 * come from its standard environment. Needs `s3:PutObject`, `s3:PutObjectRetention`, `s3:GetObject`,
 * `s3:GetObjectVersion` and `s3:ListBucketVersions`.
 */
import type { ObjectVersion, S3Client } from '@aws-sdk/client-s3';
import { type Clock, isId, systemClock } from '../../base/index.ts';
import {
  AnchorError,
  type AnchoredCheckpoint,
  type AnchorOptions,
  type AuditAnchor,
  type CheckpointPlace,
} from './anchor.ts';
import type { S3AnchorLocation } from './anchor-location.ts';
import { placeOfNote } from './note-place.ts';

const CONNECTION_TIMEOUT_MS = 2_000;
const ATTEMPT_TIMEOUT_MS = 5_000;
const CALL_TIMEOUT_MS = 15_000;
const MAX_ATTEMPTS = 3;
/** Of a thousand versions each; what lies beyond them is found the next time. */
const MAX_PAGES = 10;
/** Objects that are read to find a note of its place. */
const MAX_CANDIDATES = 64;
const MAX_NOTE_BYTES = 65_536;
const DAY_MS = 86_400_000;
const EPOCH_DIGITS = 9;
const SIZE_DIGITS = 16;
const NAME = /^\d{9}-\d{16}\.note$/;

export interface OpenS3AnchorOptions extends Omit<S3AnchorLocation, 'kind'> {
  readonly clock?: Clock;
}

interface VersionMarker {
  readonly KeyMarker?: string | undefined;
  readonly VersionIdMarker?: string | undefined;
}

type Sdk = typeof import('@aws-sdk/client-s3');

/** Loads the SDK and makes a client. Makes no call; `probe` tells whether the bucket can be used. */
export async function openS3Anchor(options: OpenS3AnchorOptions): Promise<AuditAnchor> {
  const sdk = await import('@aws-sdk/client-s3');
  const { region, endpoint } = options;
  const client = new sdk.S3Client({
    ...(region === null ? {} : { region }),
    // What is not AWS rarely has a host name for each bucket.
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, requestTimeout: ATTEMPT_TIMEOUT_MS },
  });
  return new S3Anchor(sdk, client, options);
}

class S3Anchor implements AuditAnchor {
  readonly kind = 's3';
  readonly #sdk: Sdk;
  readonly #client: S3Client;
  readonly #place: OpenS3AnchorOptions;
  readonly #clock: Clock;

  constructor(sdk: Sdk, client: S3Client, place: OpenS3AnchorOptions) {
    this.#sdk = sdk;
    this.#client = client;
    this.#place = place;
    this.#clock = place.clock ?? systemClock;
  }

  async write(
    tenantId: string,
    checkpoint: AnchoredCheckpoint,
    options?: AnchorOptions,
  ): Promise<string | null> {
    const { bucket, mode, days } = this.#place;
    const Key = `${this.#folderOf(tenantId)}${nameOf(checkpoint)}`;
    try {
      await this.#call(options, (abortSignal) =>
        this.#client.send(
          new this.#sdk.PutObjectCommand({
            ...{ Bucket: bucket, Key, Body: checkpoint.note, ContentType: 'text/plain; charset=utf-8' },
            IfNoneMatch: '*',
            ObjectLockMode: mode,
            ObjectLockRetainUntilDate: new Date(this.#clock.now() + days * DAY_MS),
          }),
          { abortSignal },
        ),
      );
      return null;
    } catch (error) {
      if (!(error instanceof AnchorError) || statusOf(error.cause) !== 412) throw error;
      return (await this.#read(options, { Key })) ?? '';
    }
  }

  async *listNewest(
    tenantId: string,
    from: CheckpointPlace,
    options?: AnchorOptions,
  ): AsyncGenerator<string | null, void> {
    const firstName = nameOf(from).replace('.note', '');
    const listed = await this.#listFirstVersions(options, this.#folderOf(tenantId), firstName);
    const named = [...listed].filter(([name]) => NAME.test(name));
    if (named.length < listed.size) yield null;
    for (const [name, version] of named.toReversed().slice(0, MAX_CANDIDATES)) {
      const note = await this.#read(options, version);
      const place = note === null ? null : placeOfNote(note, tenantId);
      yield place !== null && nameOf(place) === name ? note : null;
    }
  }

  async probe(options?: AnchorOptions): Promise<void> {
    await this.#list(options, this.#place.prefix, {}, 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy();
  }

  #folderOf(tenantId: string): string {
    if (!isId('tenant', tenantId)) throw new TypeError('"tenantId" must be a tenant id');
    return `${this.#place.prefix}${tenantId}/`;
  }

  /** The first version of each object from `first` on, by its name, in the order of names. */
  async #listFirstVersions(
    options: AnchorOptions | undefined,
    Prefix: string,
    first: string,
  ): Promise<ReadonlyMap<string, ObjectVersion>> {
    const versions = new Map<string, ObjectVersion>();
    let marker: VersionMarker | null = { KeyMarker: `${Prefix}${first}` };
    for (let page = 0; page < MAX_PAGES && marker !== null; page += 1) {
      const listed = await this.#list(options, Prefix, marker);
      // Of one key the oldest version, which was written first, comes last.
      for (const version of listed.Versions ?? []) {
        versions.set(version.Key?.slice(Prefix.length) ?? '', version);
      }
      const { NextKeyMarker, NextVersionIdMarker } = listed;
      marker =
        listed.IsTruncated === true
          ? { KeyMarker: NextKeyMarker, VersionIdMarker: NextVersionIdMarker }
          : null;
    }
    return versions;
  }

  #list(options: AnchorOptions | undefined, Prefix: string, marker: VersionMarker, MaxKeys = 1_000) {
    const input = { Bucket: this.#place.bucket, Prefix, MaxKeys, ...marker };
    return this.#call(options, (abortSignal) =>
      this.#client.send(new this.#sdk.ListObjectVersionsCommand(input), { abortSignal }),
    );
  }

  /** `null` where there is no text of a note's length, or none that may be read. */
  async #read(options: AnchorOptions | undefined, { Key, VersionId }: ObjectVersion): Promise<string | null> {
    const reading = this.#call(options, async (abortSignal) => {
      const input = { Bucket: this.#place.bucket, Key, VersionId };
      const { Body, ContentLength } = await this.#client.send(new this.#sdk.GetObjectCommand(input), {
        abortSignal,
      });
      if (Body === undefined || (ContentLength ?? Number.POSITIVE_INFINITY) > MAX_NOTE_BYTES) {
        return null;
      }
      return Body.transformToString('utf-8');
    });
    try {
      return await reading;
    } catch (error) {
      // Of another storage class or under a key of somebody's own, say: one object must not hide the others.
      const status = error instanceof AnchorError ? statusOf(error.cause) : undefined;
      if (typeof status === 'number' && status >= 400 && status < 500) return null;
      throw error;
    }
  }

  async #call<T>({ signal }: AnchorOptions = {}, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const timeout = AbortSignal.timeout(CALL_TIMEOUT_MS);
    try {
      return await work(signal === undefined ? timeout : AbortSignal.any([signal, timeout]));
    } catch (cause) {
      signal?.throwIfAborted();
      // Never the message: it may repeat what was sent.
      const name = cause instanceof Error ? cause.name : 'unknown reason';
      throw new AnchorError(`The bucket ${this.#place.bucket} cannot be used (${name}).`, { cause });
    }
  }
}

/** Sorts as epochs and sizes do. */
function nameOf({ epoch, size }: CheckpointPlace): string {
  return `${String(epoch).padStart(EPOCH_DIGITS, '0')}-${String(size).padStart(SIZE_DIGITS, '0')}.note`;
}

function statusOf(error: unknown): unknown {
  return error instanceof Error && '$metadata' in error
    ? (error.$metadata as { readonly httpStatusCode?: number }).httpStatusCode
    : undefined;
}
