/** The page's way to the gateway: typed questions, sealed answers, and what each answer weighed. */
import {
  createClient,
  type GraphqlRequestError,
  type SealdeskClient,
  saveClientKey,
  type WelcomedClientKey,
} from '../../../src/client/index.ts';

/** What is known of an answer that came sealed. */
export interface Receipt {
  /** Bytes of the envelope as it came. */
  readonly bytes: number;
  /** From its last byte to its plaintext. */
  readonly milliseconds: number;
  readonly auditEventId: string;
}

/** An operation that failed as a whole, with the gateway's own text. */
export class DeskError extends Error {
  override readonly name = 'DeskError';
  readonly errors: readonly GraphqlRequestError[];

  constructor(errors: readonly GraphqlRequestError[]) {
    super(errors[0]?.message ?? 'The gateway did not answer.');
    this.errors = errors;
  }
}

/** The error with this code, if there is one. */
export function errorOf(
  errors: readonly GraphqlRequestError[] | undefined,
  code: string,
): GraphqlRequestError | null {
  return errors?.find(({ extensions }) => extensions?.['code'] === code) ?? null;
}

/** As `SealdeskClient.request`; throws DeskError where there is no data at all. */
export type Ask = SealdeskClient['request'];

/** Asks with `clientKey`, by the server that this page came from; `tell` hears of each sealed answer. */
export function openDesk(clientKey: WelcomedClientKey, tell: (receipt: Receipt) => void): Ask {
  const arrived = new Map<string, { readonly bytes: number; readonly at: number }>();
  const client = createClient({
    url: location.origin,
    clientKey,
    // The server adds an API key on the way.
    login: 'NONE',
    onPins: saveClientKey,
    async fetch(input, init) {
      const response = await fetch(input, init);
      const body = await response.arrayBuffer();
      const id = auditEventOf(new TextDecoder().decode(body));
      if (id !== null) arrived.set(id, { bytes: body.byteLength, at: performance.now() });
      const { status, headers } = response;
      return new Response(body, { status, headers });
    },
  });
  return async (document, variables, options) => {
    try {
      const result = await client.request(document, variables, options);
      const { auditEventId, data, errors = [] } = result;
      const arrival = auditEventId === null ? undefined : arrived.get(auditEventId);
      if (auditEventId !== null && arrival !== undefined) {
        arrived.delete(auditEventId);
        const { bytes, at } = arrival;
        tell({ bytes, milliseconds: performance.now() - at, auditEventId });
      }
      if (data === null) throw new DeskError(errors);
      return result;
    } catch (error) {
      arrived.clear();
      throw error;
    }
  };
}

/** The audit event that an envelope names outside, to tell answers apart; `null` for what is none. */
function auditEventOf(text: string): string | null {
  try {
    const id: unknown = Reflect.get(Object(JSON.parse(text)), 'audit_event_id');
    return typeof id === 'string' ? id : null;
  } catch {
    return null;
  }
}
