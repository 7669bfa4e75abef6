import type { GatewayProcess } from './gateway-process.ts';

/** Which process new connections go to. */
export class Routes {
  /** The one that webhooks are addressed to. */
  ingester: GatewayProcess | null = null;
  /** Whether webhooks are lost when that one is dead; else another takes them. */
  losesWebhooks = false;
  readonly #processes: readonly GatewayProcess[];
  #turn = 0;

  constructor(processes: readonly GatewayProcess[]) {
    this.#processes = processes;
  }

  toWebhooks(): number | null {
    if (this.ingester?.isAlive === true) return this.ingester.port;
    return this.losesWebhooks ? null : this.#anybody();
  }

  toSubscribers(): number | null {
    return this.#anybody();
  }

  /** The living ones in turn. */
  #anybody(): number | null {
    const alive = this.#processes.filter(({ isAlive }) => isAlive);
    this.#turn += 1;
    return alive[this.#turn % alive.length]?.port ?? null;
  }
}
