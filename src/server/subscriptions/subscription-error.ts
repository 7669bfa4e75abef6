import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import { isErrorCode, isSealdeskError, SealdeskError } from '../../base/index.ts';

/** Why a subscription does not begin, or does not go on: at least one error, coded and masked. */
export class SubscriptionError extends Error {
  override readonly name = 'SubscriptionError';
  readonly errors: readonly [GraphQLError, ...GraphQLError[]];
  /** The audit event that records it, `null` where none does. */
  readonly auditEventId: string | null;

  constructor(errors: SubscriptionError['errors'], auditEventId: string | null = null) {
    super(errors[0].message);
    this.errors = errors;
    this.auditEventId = auditEventId;
  }

  /** The first error, as the failure that it was or stands for. */
  get failure(): SealdeskError {
    const { extensions, message, originalError } = this.errors[0];
    if (isSealdeskError(originalError)) return originalError;
    const { code } = extensions;
    return new SealdeskError(isErrorCode(code) ? code : 'INTERNAL', message);
  }

  /** As it is sent; the first error names the audit event, since a message of errors has no other place for it. */
  told(): readonly GraphQLFormattedError[] {
    const { auditEventId } = this;
    return this.errors.map((error, index) => {
      const formatted = error.toJSON();
      return index > 0 || auditEventId === null
        ? formatted
        : { ...formatted, extensions: { ...formatted.extensions, auditEventId } };
    });
  }
}
