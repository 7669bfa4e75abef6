import type { Services } from '../service/index.ts';
import { type Answer, jsonAnswer } from './answer.ts';

/** 200 where calls can be answered now, 503 with what is missing where not. Names parts, never addresses. */
export async function checkReadiness(services: Services): Promise<Answer> {
  const { database, keys } = await services.readiness();
  return jsonAnswer(database && keys ? 200 : 503, {
    status: database && keys ? 'ready' : 'not ready',
    database,
    keys,
  });
}
