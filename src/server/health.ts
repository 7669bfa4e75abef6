import type { Services } from '../service/index.ts';
import { type Answer, jsonAnswer } from './answer.ts';

/** 200 where calls can be answered now, 503 with what is missing where not. Names parts, never addresses. */
export async function checkReadiness(services: Services): Promise<Answer> {
  const { database, keys, audit } = await services.readiness();
  const isReady = database && keys && audit;
  return jsonAnswer(isReady ? 200 : 503, {
    status: isReady ? 'ready' : 'not ready',
    ...{ database, keys, audit },
  });
}
