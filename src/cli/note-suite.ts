/** The primitives that the audit log is verified with, from `node:crypto`. */
import { createPublicKey, hash, verify } from 'node:crypto';
import { concatBytes } from '../base/index.ts';
import { createNodeSuite } from '../envelope/node.ts';
import type { NoteSuite } from '../tlog/index.ts';

/** DER of a SubjectPublicKeyInfo up to the key's own 32 bytes (RFC 8410). */
const ED25519_SPKI = Uint8Array.from(Buffer.from('302a300506032b6570032100', 'hex'));

/** Throws Error where this Node lacks ML-DSA-65 with context. */
export function createNodeNoteSuite(): NoteSuite {
  const suite = createNodeSuite();
  return Object.freeze<NoteSuite>({
    sha256: (data) => new Uint8Array(hash('sha256', data, 'buffer')),
    async verifyEd25519(publicKey, message, signature) {
      const der = Buffer.from(concatBytes(ED25519_SPKI, publicKey));
      return verify(null, message, createPublicKey({ key: der, format: 'der', type: 'spki' }), signature);
    },
    async verifyMlDsa65(publicKey, message, signature, context) {
      return suite.importVerifyingKey(publicKey).verify(message, signature, context);
    },
  });
}
