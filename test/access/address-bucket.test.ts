import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressBucket } from '../../src/access/index.ts';

describe('requests without a key', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('from %s count under %s', (address, bucket) => {
    expect(addressBucket(address)).toBe(bucket);
  });

  it('without an address share one bucket', () => {
    expect(addressBucket(null)).toBe(addressBucket(''));
  });

  it('from one IPv6 network share a bucket, from different ones do not', () => {
    const hextet = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
    const half = fc.tuple(hextet, hextet, hextet, hextet).map((hextets) => hextets.join(':'));
    fc.assert(
      fc.property(half, half, half, half, (network, other, one, two) => {
        fc.pre(network !== other && network !== '0:0:0:0' && other !== '0:0:0:0');
        expect(addressBucket(`${network}:${one}`)).toBe(addressBucket(`${network}:${two}`));
        expect(addressBucket(`${network}:${one}`)).not.toBe(addressBucket(`${other}:${one}`));
      }),
    );
  });
});
