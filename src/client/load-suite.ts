/** Which primitives the high-level calls use: the platform's own where it has them all, else noble's. */
import type { AwaitableSuite } from '../envelope/index.ts';
import { createWebCryptoSuite, isWebCryptoSuiteSupported } from '../envelope/webcrypto.ts';

/**
 * The suite of this platform: Web Crypto where it gives the known answers of ML-KEM-768 and of
 * ML-DSA-65 with context, else the portable one, which is loaded only then.
 */
export async function loadSuite(): Promise<AwaitableSuite> {
  if (await isWebCryptoSuiteSupported()) return createWebCryptoSuite();
  const { createNobleSuite } = await import('../envelope/noble.ts');
  return createNobleSuite();
}
