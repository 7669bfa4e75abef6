/** What an opener accepts at most, and so what a sealer makes. Sizes in bytes unless named otherwise. */
export const ENVELOPE_LIMITS = Object.freeze({
  /** Plaintext; the ciphertext is 16 bytes longer. */
  maxPlaintext: 16 * 1024 * 1024,
  /** The protected header. */
  maxProtected: 8 * 1024,
  /** Characters of an envelope as JSON text: the base64 of the above, and room for white space. */
  maxText: 24 * 1024 * 1024,
  /** Keys in a document of signing keys, in a welcome and in a key file. */
  maxSigningKeys: 16,
  /** Transitions in a document of signing keys. */
  maxTransitions: 64,
  /** Characters of a gateway's address. */
  maxGatewayUrl: 2048,
  /** Plaintext of a welcome. */
  maxWelcome: 128 * 1024,
} as const);
