import { Turns } from '../../proxy/index.ts';

/** Lets work run so many at a time, of one tenant fewer: what a tenant has beyond that waits in no other's way. */
export class TenantTurns {
  readonly #all: Turns;
  readonly #ofTenant: number;
  /** Of the tenants that have work. */
  readonly #tenants = new Map<string, { readonly turns: Turns; works: number }>();

  constructor({ atOnce, ofTenant }: { readonly atOnce: number; readonly ofTenant: number }) {
    this.#all = new Turns(atOnce);
    this.#ofTenant = ofTenant;
  }

  /** Rejects as `work` does, and with the signal's reason for who waits. */
  async run<T>(tenantId: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const own = this.#tenants.get(tenantId) ?? { turns: new Turns(this.#ofTenant), works: 0 };
    this.#tenants.set(tenantId, own);
    own.works += 1;
    try {
      return await own.turns.run(signal, () => this.#all.run(signal, work));
    } finally {
      own.works -= 1;
      if (own.works === 0) this.#tenants.delete(tenantId);
    }
  }
}
