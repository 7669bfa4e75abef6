import type { Call, Services } from '../../service/index.ts';
import type { Answer } from '../answer.ts';
import type { Incoming } from '../incoming.ts';

/** A REST route. Its call is authenticated and within its rate. */
export type RestRoute = (services: Services, call: Call, incoming: Incoming) => Promise<Answer>;
