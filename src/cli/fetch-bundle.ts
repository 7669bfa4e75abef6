/** Fetching the bundle of an export, as it comes: whole, or an error. What is in it is not judged here. */
import { isErrorCode, parseUtf8, SealdeskError } from '../base/index.ts';
import { GATEWAY_LIMITS, GatewayAnswerError, printableLine } from '../client/index.ts';
import { CommandError } from './command-error.ts';
import type { GatewayAddress } from './gateway-call.ts';

/** How the last line of every bundle ends. */
const LAST_LINE = '"type":"end"}\n';
const NDJSON = 'application/x-ndjson';

/** The pieces. Throws SealdeskError as the gateway refused it, GatewayAnswerError, CommandError where it was cut off. */
export async function* fetchBundle(
  { url, apiKey = '' }: GatewayAddress,
  exportId: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const address = new URL(`api/v2/audit/exports/${exportId}`, url.endsWith('/') ? url : `${url}/`);
  const response = await fetch(address, { headers: { 'x-api-key': apiKey }, redirect: 'error', signal });
  const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (response.status !== 200 || type !== NDJSON || response.body === null) throw await refusalOf(response);
  let end: Uint8Array = new Uint8Array(0);
  try {
    for await (const piece of response.body) {
      end = Buffer.concat([end, piece]).subarray(-LAST_LINE.length);
      yield piece;
    }
  } catch (cause) {
    signal.throwIfAborted();
    throw cutOff(cause);
  }
  if (parseUtf8(end) !== LAST_LINE) throw cutOff();
}

async function refusalOf(response: Response): Promise<Error> {
  const text = (await response.text()).slice(0, GATEWAY_LIMITS.maxAnswer);
  try {
    const { code, message } = Object(Object(JSON.parse(text)).error);
    if (isErrorCode(code) && typeof message === 'string') {
      return new SealdeskError(code, printableLine(message.slice(0, GATEWAY_LIMITS.maxMessage)));
    }
  } catch {
    // Told below.
  }
  return new GatewayAnswerError(`The gateway answered without a bundle (HTTP ${response.status}).`);
}

function cutOff(cause?: unknown): CommandError {
  return new CommandError(
    'The gateway broke the bundle off before its end; nothing was written. Try again.',
    {
      cause,
    },
  );
}
