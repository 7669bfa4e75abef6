import { createHash, timingSafeEqual } from 'node:crypto';
import { isSealdeskError, SealdeskError } from '../base/index.ts';
import { type Answer, errorAnswer, textAnswer } from './answer.ts';
import { type HttpServer, type OpenHttpServerOptions, openHttpServer } from './http-server.ts';
import { bearerOf, type Incoming } from './incoming.ts';
import type { Metrics } from './metrics.ts';

export const METRICS_PATH = '/metrics';

/** `GET /metrics`. `onRefusal` counts a wrong token against its address, and throws where that is too many. */
export type MetricsRoute = (incoming: Incoming, onRefusal: () => void) => Promise<Answer>;

/** The route over `metrics`, for who sends `token` as a bearer; `null` asks for none. */
export function createMetricsRoute(metrics: Metrics, token: string | null): MetricsRoute {
  return async ({ headers }, onRefusal) => {
    if (token !== null && !isSame(bearerOf(headers) ?? '', token)) {
      onRefusal();
      throw new SealdeskError(
        'UNAUTHENTICATED',
        'This needs the token of SEALDESK_METRICS_TOKEN. Send it as Authorization: Bearer.',
      );
    }
    return textAnswer(metrics.contentType, await metrics.render());
  };
}

/** Takes the same time whatever was sent, its length included. */
function isSame(sent: string, token: string): boolean {
  return timingSafeEqual(digest(sent), digest(token));
}

function digest(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}

export interface OpenMetricsServerOptions
  extends Pick<OpenHttpServerOptions, 'host' | 'port' | 'trustedProxies' | 'log'> {
  readonly metrics: Metrics;
  /** Who sends it as a bearer may read; `null` lets in whoever is on this machine, whatever `host` is. */
  readonly token: string | null;
}

/** Where without a token alone is listened. */
const LOOPBACK = '127.0.0.1';

/** Listens for nothing but `GET /metrics`, apart from the gateway, whose rates do not count here. */
export async function openMetricsServer(options: OpenMetricsServerOptions): Promise<HttpServer> {
  const { metrics, token, host, ...listening } = options;
  const route = createMetricsRoute(metrics, token);
  return openHttpServer({
    ...listening,
    host: token === null ? LOOPBACK : host,
    async dispatch(incoming) {
      try {
        if (incoming.path !== METRICS_PATH) {
          throw new SealdeskError('NOT_FOUND', `There is no such route. Metrics are GET ${METRICS_PATH}.`);
        }
        if (incoming.method !== 'GET') {
          throw new SealdeskError('VALIDATION_FAILED', 'This route answers GET only.');
        }
        return await route(incoming, () => undefined);
      } catch (error) {
        if (!isSealdeskError(error)) throw error;
        return errorAnswer(error, incoming.requestId);
      }
    },
  });
}
