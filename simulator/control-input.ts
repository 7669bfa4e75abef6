/** What all control routes read: a call, and its JSON body checked strictly. */
import { z } from 'zod';
import { coded, Refusal } from './reply.ts';

export interface ControlRequest {
  readonly method: string;
  /** What follows `/__simulator`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
}

/** Throws Refusal 415 unless the body is sent as JSON, 400 when it isn't what `schema` asks for. */
export const parseBody = <T>(schema: z.ZodType<T>, request: ControlRequest): T => {
  // A page in a browser can't send this type to another origin without asking first.
  if (
    !String(request.headers['content-type'] ?? '')
      .toLowerCase()
      .includes('application/json')
  ) {
    throw new Refusal(coded(415, 'UnsupportedMediaType', 'Content-Type must be application/json'));
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(request.body).toString('utf8') || '{}');
  } catch {
    throw new Refusal(coded(400, 'InvalidJson', 'The body is not JSON'));
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Refusal(coded(400, 'InvalidControl', z.prettifyError(result.error)));
};

/** Drops keys whose value is undefined, which the options of the simulator don't take. */
export const defined = <T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
