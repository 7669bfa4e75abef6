import type { HybridCryptoEnvelope } from '../../envelope/index.ts';

/**
 * What a subscription hands on. The same object goes to all subscribers of one client key in a process, so
 * that what is made of it can be kept by its identity.
 */
export type TicketFeedEvent =
  | {
      readonly type: 'CHANGE';
      /** The place after this entry. */
      readonly cursor: string;
      readonly sequence: number;
      /** When the gateway appended it. */
      readonly occurredAt: Date;
      readonly envelope: HybridCryptoEnvelope;
    }
  | {
      readonly type: 'POSITION';
      /** Where the subscription stands: what it goes on from after a break. */
      readonly cursor: string;
      /** Of the stream's last entry, as the envelope signs it. */
      readonly sequence: number;
      readonly envelope: HybridCryptoEnvelope;
    };
