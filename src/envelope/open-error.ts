/**
 * An envelope, welcome or chain of keys that is not accepted, whatever the cause: malformed, altered,
 * signed by an unknown key, sealed to someone else, or not what was expected. One class and one text,
 * so that nothing can be learned by sending variants.
 */
export class EnvelopeOpenError extends Error {
  override readonly name = 'EnvelopeOpenError';
  readonly code = 'ENVELOPE_NOT_ACCEPTED';

  constructor() {
    super(
      'The envelope was not accepted: it is malformed, was altered, or is not meant for this key and use.',
    );
  }
}
