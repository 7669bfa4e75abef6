import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAnchorLocation } from '../../../src/audit/index.ts';

describe('The place of an anchor', () => {
  test.each([
    ['none', { kind: 'none' }],
    ['file:/mnt/worm', { kind: 'file', folder: '/mnt/worm' }],
    ['file:anchors', { kind: 'file', folder: resolve('anchors') }],
    [
      's3://sealdesk-anchor',
      {
        kind: 's3',
        bucket: 'sealdesk-anchor',
        prefix: '',
        region: null,
        endpoint: null,
        mode: 'COMPLIANCE',
        days: 365,
      },
    ],
    [
      's3://b.cket/audit/eu/?region=eu-west-1&endpoint=https://s3.example.com:9000&mode=GOVERNANCE&days=7',
      {
        ...{ kind: 's3', bucket: 'b.cket', prefix: 'audit/eu/', region: 'eu-west-1' },
        ...{ endpoint: 'https://s3.example.com:9000', mode: 'GOVERNANCE', days: 7 },
      },
    ],
  ])('is read from %s', (text, location) => {
    expect(parseAnchorLocation(text)).toEqual(location);
  });

  test.each([
    ['', 'none, file:PATH or s3'],
    ['file:', 'none, file:PATH or s3'],
    ['ftp://x/y', 'none, file:PATH or s3'],
    ['s3://', 'bucket'],
    ['s3://B', 'bucket'],
    ['s3://key:secret@bucket/x', 'bucket'],
    ['s3://bucket/x#y', 'bucket'],
    ['s3://bucket/a%20b', 'prefix'],
    ['s3://bucket/x?acl=public', 'parameters'],
    ['s3://bucket/x?days=1&days=2', 'parameters'],
    ['s3://bucket/x?region=EU%20West', 'region'],
    ['s3://bucket/x?endpoint=ftp://x', 'endpoint'],
    ['s3://bucket/x?mode=NONE', 'mode'],
    ['s3://bucket/x?days=0', 'days'],
    ['s3://bucket/x?days=99999', 'days'],
  ])('is refused as %j', (text, named) => {
    expect(() => parseAnchorLocation(text)).toThrow(RangeError);
    expect(() => parseAnchorLocation(text)).toThrow(named);
  });
});
