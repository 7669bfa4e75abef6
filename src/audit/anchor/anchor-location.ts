/** Where the anchor is, as a setting names it. */
import { resolve } from 'node:path';

export type AnchorLocation =
  | { readonly kind: 'none' }
  | { readonly kind: 'file'; readonly folder: string }
  | S3AnchorLocation;

export interface S3AnchorLocation {
  readonly kind: 's3';
  readonly bucket: string;
  /** Before the name of every object; ends with a slash unless it is empty. */
  readonly prefix: string;
  /** `null`: by the environment of the AWS SDK. */
  readonly region: string | null;
  readonly endpoint: string | null;
  /** Object lock: GOVERNANCE can be lifted by who has that right, COMPLIANCE by nobody. */
  readonly mode: 'GOVERNANCE' | 'COMPLIANCE';
  /** For how long an object is locked. */
  readonly days: number;
}

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PREFIX = /^[A-Za-z0-9!_.*'()/-]{0,512}$/;
const REGION = /^[a-z0-9-]{1,64}$/;
const DAYS = /^[1-9]\d{0,4}$/;
const MAX_DAYS = 36_500;
const DEFAULT_MODE = 'COMPLIANCE';
const DEFAULT_DAYS = '365';
const PARAMETERS: ReadonlySet<string> = new Set(['region', 'endpoint', 'mode', 'days']);

/** Throws RangeError that says what is wrong. `file:` paths are taken from the current folder. */
export function parseAnchorLocation(text: string): AnchorLocation {
  if (text === 'none') return { kind: 'none' };
  if (text.startsWith('file:') && text.length > 'file:'.length) {
    return { kind: 'file', folder: resolve(text.slice('file:'.length)) };
  }
  if (text.startsWith('s3://')) return parseS3(text);
  throw new RangeError('It must be none, file:PATH or s3://BUCKET/PREFIX?region=…');
}

function parseS3(text: string): S3AnchorLocation {
  const url = URL.parse(text);
  const bucket = url?.host ?? '';
  const path = url?.pathname.replace(/^\/+|\/+$/g, '') ?? '';
  if (url === null || !BUCKET.test(bucket) || url.username !== '' || url.hash !== '') {
    throw new RangeError(
      'It must name a bucket: s3://BUCKET/PREFIX. Credentials come from the environment of AWS.',
    );
  }
  if (!PREFIX.test(path)) throw new RangeError("Its prefix may hold letters, digits and !_.*'()/- only.");
  const names = [...url.searchParams.keys()];
  const unknown = names.find((name) => !PARAMETERS.has(name));
  if (unknown !== undefined || new Set(names).size !== names.length) {
    throw new RangeError('Its parameters are region, endpoint, mode and days, each once.');
  }
  const get = (name: string): string | null => url.searchParams.get(name);
  const [region, endpoint, mode, days] = [
    get('region'),
    get('endpoint'),
    get('mode') ?? DEFAULT_MODE,
    get('days') ?? DEFAULT_DAYS,
  ];
  if (region !== null && !REGION.test(region))
    throw new RangeError('Its region is not the name of a region.');
  if (endpoint !== null && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? '')) {
    throw new RangeError('Its endpoint must be an http or https URL.');
  }
  if (mode !== 'GOVERNANCE' && mode !== 'COMPLIANCE') {
    throw new RangeError('Its mode must be GOVERNANCE or COMPLIANCE.');
  }
  if (!DAYS.test(days) || Number(days) > MAX_DAYS) throw new RangeError(`Its days must be 1 to ${MAX_DAYS}.`);
  const prefix = path === '' ? '' : `${path}/`;
  return { kind: 's3', bucket, prefix, region, endpoint, mode, days: Number(days) };
}
