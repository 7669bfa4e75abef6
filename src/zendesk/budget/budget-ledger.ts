/** Where the processes of the gateway keep the budget of an account together: the port to the database. */

/** Buckets belong to a tenant and an account: two tenants naming one account are two consumers of it. */
export interface BudgetAccount {
  readonly tenantId: string;
  readonly origin: string;
}

/** JSON as {@link BudgetLedger.update} stored it, by bucket; `null` where nothing was stored yet. */
export type BudgetRows = Readonly<Record<string, unknown>>;

export interface BudgetUpdate<T> {
  /** What to store: a member for each bucket named. */
  readonly rows: BudgetRows;
  readonly answer: T;
}

export interface BudgetLedger {
  /**
   * Reads the buckets `names` of an account, lets `compute` decide, and stores what it returns: alone
   * of all processes, in one short transaction. `now` is the ledger's own clock, milliseconds since
   * 1970. `compute` must not have effects.
   */
  update<T>(
    account: BudgetAccount,
    names: readonly string[],
    compute: (rows: BudgetRows, now: number) => BudgetUpdate<T>,
  ): Promise<T>;
}
