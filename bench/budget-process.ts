/**
 * One process of the budget benchmark: as a gateway it opens the shared database and asks a Zendesk
 * account through the client and the shared budget, with the load that its first argument names. It
 * prints what came of it as one line of JSON.
 */
import { silentLog, systemClock } from '../src/base/index.ts';
import { createBudgetLedger } from '../src/proxy/index.ts';
import { openStore } from '../src/store/index.ts';
import {
  basicAuthorization,
  createZendeskClient,
  type Lane,
  openAccountLimiters,
  openZendeskTransport,
  type ZendeskTransport,
} from '../src/zendesk/index.ts';

export interface Load {
  readonly lane: Lane;
  /** Calls a second, each at its time whether earlier ones ended or not; `null`: as many as are let. */
  readonly perSecond: number | null;
  /** Milliseconds that a call may take. */
  readonly deadline: number;
  /** Milliseconds since 1970. */
  readonly from: number;
}

export interface ProcessPlan {
  readonly connectionString: string;
  readonly tenantId: string;
  readonly origin: string;
  readonly email: string;
  readonly token: string;
  readonly loads: readonly Load[];
  /** Milliseconds since 1970. */
  readonly until: number;
}

export interface FinishedCall {
  readonly lane: Lane;
  /** Milliseconds since 1970. */
  readonly endedAt: number;
  /** Milliseconds from the wish to the answer. */
  readonly took: number;
}

export interface ProcessReport {
  readonly done: readonly FinishedCall[];
  /** When Zendesk answered 429, milliseconds since 1970. */
  readonly limited: readonly number[];
  /** Calls refused for want of budget, and calls that failed otherwise, by code. */
  readonly failed: Readonly<Record<string, number>>;
}

/** Callers that a process has; the budget is shared fairly between them. */
const CALLERS = 5;
/** Calls that an unbounded load keeps waiting. */
const AT_ONCE = 40;
/** Milliseconds after which a call that was refused at once is made anew. */
const REFUSED_PAUSE = 100;

async function run(plan: ProcessPlan): Promise<ProcessReport> {
  const done: FinishedCall[] = [];
  const limited: number[] = [];
  const failed: Record<string, number> = {};
  await using resources = new AsyncDisposableStack();
  const store = resources.use(
    await openStore({ location: { kind: 'postgres', connectionString: plan.connectionString } }),
  );
  const transport = resources.use(openZendeskTransport());
  const limiters = resources.use(
    openAccountLimiters({ ledger: createBudgetLedger(store), clock: systemClock }),
  );
  const watched: ZendeskTransport = {
    async send(request) {
      const reply = await transport.send(request);
      if (reply.status === 429) limited.push(Date.now());
      return reply;
    },
    async [Symbol.asyncDispose]() {},
  };
  const client = createZendeskClient({
    origin: plan.origin,
    transport: watched,
    limiter: limiters.of({ tenantId: plan.tenantId, origin: plan.origin }),
    authorize: async () => ({ authorization: basicAuthorization(plan.email, plan.token) }),
    clock: systemClock,
    log: silentLog,
  });

  let number = 0;
  const call = async ({ lane, deadline }: Load): Promise<boolean> => {
    const startedAt = Date.now();
    const began = performance.now();
    number += 1;
    try {
      await client.request({
        method: 'GET',
        path: `/api/v2/tickets/${1 + (number % 200)}.json`,
        mutation: false,
        lane,
        caller: `caller ${number % CALLERS}`,
        deadline: Math.min(startedAt + deadline, plan.until),
      });
      done.push({ lane, endedAt: Date.now(), took: performance.now() - began });
      return true;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      failed[code] = (failed[code] ?? 0) + 1;
      return false;
    }
  };
  const drive = async (load: Load): Promise<void> => {
    await systemClock.wait(Math.max(0, load.from - Date.now()));
    if (load.perSecond === null) {
      const loop = async (): Promise<void> => {
        while (Date.now() < plan.until) if (!(await call(load))) await systemClock.wait(REFUSED_PAUSE);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, loop));
      return;
    }
    const calls: Promise<boolean>[] = [];
    for (let due = Date.now(); due < plan.until; due += 1000 / load.perSecond) {
      await systemClock.wait(Math.max(0, due - Date.now()));
      calls.push(call(load));
    }
    await Promise.all(calls);
  };
  await Promise.all(plan.loads.map(drive));
  return { done, limited, failed };
}

const [, , argument] = process.argv;
if (argument === undefined) throw new Error('The plan is missing');
process.stdout.write(`${JSON.stringify(await run(JSON.parse(argument)))}\n`);
