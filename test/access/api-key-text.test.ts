import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createApiKeySecret, parseApiKey } from '../../src/access/index.ts';
import { createId } from '../../src/base/index.ts';

describe('The text of an API key', () => {
  const apiKeyId = createId('apiKey');
  const { text, secretSha256 } = createApiKeySecret(apiKeyId);

  test('names the key and holds a secret of 256 bits', () => {
    expect(text).toMatch(/^sd_live_[0-9a-z]{26}_[A-Za-z0-9_-]{43}$/);
    expect(text.slice(8, 34)).toBe(apiKeyId.slice(4));
    expect(parseApiKey(text)).toEqual({ apiKeyId, secretSha256 });
  });

  test('is another each time', () => {
    const texts = Array.from({ length: 100 }, () => createApiKeySecret(apiKeyId).text);
    expect(new Set(texts).size).toBe(100);
  });

  test('is read by its places, since the secret may hold the separator', () => {
    const secret = `_-${'_'.repeat(40)}8`;
    expect(parseApiKey(`sd_live_${apiKeyId.slice(4)}_${secret}`)).toMatchObject({ apiKeyId });
  });

  test.each([
    ['nothing', ''],
    ['another prefix', text.replace('sd_live_', 'sd_test_')],
    ['a cut', text.slice(0, -1)],
    ['something more', `${text}A`],
    ['a space before', ` ${text}`],
    ['a line break after', `${text}\n`],
    ['an upper-case id', text.slice(0, 8) + text.slice(8, 34).toUpperCase() + text.slice(34)],
    ['another separator', `${text.slice(0, 34)}-${text.slice(35)}`],
    ['stray bits in the last character', `${text.slice(0, -1)}B`],
    ['standard base64', `${text.slice(0, 35)}${'+'.repeat(42)}A`],
  ])('is refused with %s', (_, wrong) => {
    expect(parseApiKey(wrong)).toBeNull();
  });

  test('is never misread from arbitrary text', () => {
    fc.assert(fc.property(fc.string(), (noise) => parseApiKey(noise) === null));
  });

  test('is made for API keys only', () => {
    expect(() => createApiKeySecret(createId('tenant'))).toThrow(TypeError);
  });
});
