/** Command line of the simulator: `node simulator/main.ts --port 4001`. */
import { parseArgs } from 'node:util';
import { ADMIN_EMAIL } from './account.ts';
import { openSimulator } from './open-simulator.ts';
import {
  DEFAULT_ACCESS_TOKEN,
  DEFAULT_API_TOKEN,
  DEFAULT_OAUTH_CLIENT,
  DEFAULT_OAUTH_SECRET,
  DEFAULT_REDIRECT_URI,
  defaultOAuthClients,
  PLAN_LIMITS,
  type Plan,
} from './options.ts';

const HELP = `A stand-in Zendesk Support account for tests, demos and benchmarks.

Usage: node simulator/main.ts [options]
In a clone under an older Node: node bin/sealdesk.mjs --exec simulator/main.ts [options]

  --port NUMBER        port to listen on, 0 for a free one (default 4001)
  --host ADDRESS       address to listen on (default 127.0.0.1)
  --tickets NUMBER     seeded tickets (default 3000)
  --users NUMBER       users in all (default: about one for five tickets)
  --staff NUMBER       agents and admins among them (default 24)
  --varied             staff with custom roles, long absences, missing second factors
  --odd                add people with formulas and foreign scripts for names
  --seats NUMBER       seats for agents and admins (default: no limit)
  --seed NUMBER        seed of the data set (default 20261121)
  --plan NAME          ${Object.keys(PLAN_LIMITS).join(' | ')} (default enterprise)
  --window KIND        fixed | sliding, of the rate limits (default fixed)
  --limits KIND        on | off (default on)
  --activity NUMBER    live changes a minute (default 0)
  --export-lag SECONDS how long changes stay out of the incremental export (default 60)
  --redirect-uri URI   where the consent page of OAuth sends people back to
                       (default ${DEFAULT_REDIRECT_URI})
  --history            keep every version of changed tickets
  --help               this text
`;

class UsageError extends Error {}

const readNumber = (name: string, value: string | undefined): number | undefined => {
  if (value === undefined) return undefined;
  if (!/^\d+$/.test(value)) throw new UsageError(`--${name} takes a number, got "${value}"`);
  return Number(value);
};

const isPlan = (value: string): value is Plan => Object.hasOwn(PLAN_LIMITS, value);

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    strict: true,
    allowPositionals: false,
    options: {
      port: { type: 'string', default: '4001' },
      host: { type: 'string', default: '127.0.0.1' },
      tickets: { type: 'string' },
      users: { type: 'string' },
      staff: { type: 'string' },
      varied: { type: 'boolean', default: false },
      odd: { type: 'boolean', default: false },
      seats: { type: 'string' },
      limits: { type: 'string', default: 'on' },
      seed: { type: 'string' },
      plan: { type: 'string', default: 'enterprise' },
      window: { type: 'string', default: 'fixed' },
      activity: { type: 'string' },
      'export-lag': { type: 'string' },
      'redirect-uri': { type: 'string', default: DEFAULT_REDIRECT_URI },
      history: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const { plan, window, limits } = values;
  if (!isPlan(plan))
    throw new UsageError(`--plan takes ${Object.keys(PLAN_LIMITS).join(', ')}, got "${plan}"`);
  if (window !== 'fixed' && window !== 'sliding')
    throw new UsageError(`--window takes fixed or sliding, got "${window}"`);
  if (limits !== 'on' && limits !== 'off') throw new UsageError(`--limits takes on or off, got "${limits}"`);
  const count = readNumber('users', values.users);
  const staff = readNumber('staff', values.staff);
  const seats = readNumber('seats', values.seats);
  const port = readNumber('port', values.port);
  const tickets = readNumber('tickets', values.tickets);
  const seed = readNumber('seed', values.seed);
  const activity = readNumber('activity', values.activity);
  const exportLag = readNumber('export-lag', values['export-lag']);
  const began = performance.now();
  const simulator = await openSimulator({
    host: values.host,
    plan,
    window,
    limits,
    people: {
      varied: values.varied,
      odd: values.odd,
      ...(count === undefined ? {} : { count }),
      ...(staff === undefined ? {} : { staff }),
      ...(seats === undefined ? {} : { seats }),
    },
    history: values.history,
    accounts: { oauthClients: defaultOAuthClients([values['redirect-uri']]) },
    ...(port === undefined ? {} : { port }),
    ...(tickets === undefined ? {} : { tickets }),
    ...(seed === undefined ? {} : { seed }),
    ...(activity === undefined ? {} : { activityPerMinute: activity }),
    ...(exportLag === undefined ? {} : { exportLagSeconds: exportLag }),
  });
  const took = ((performance.now() - began) / 1000).toFixed(1);
  process.stdout.write(`Zendesk simulator at ${simulator.url}
  ${simulator.tickets.count} tickets, ${simulator.users.count} users (ready in ${took} s)
  API token   ${ADMIN_EMAIL}/token:${DEFAULT_API_TOKEN}
  OAuth       client ${DEFAULT_OAUTH_CLIENT}, secret ${DEFAULT_OAUTH_SECRET}
              consent at ${simulator.url}/oauth/authorizations/new, back to ${values['redirect-uri']}
  Bearer      ${DEFAULT_ACCESS_TOKEN}
  Control     ${simulator.url}/__simulator/
  Try         curl -u ${ADMIN_EMAIL}/token:${DEFAULT_API_TOKEN} '${simulator.url}/api/v2/search.json?query=type:ticket+status:open'
`);
  const stop = (): void => {
    simulator[Symbol.asyncDispose]().then(undefined, (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exitCode = 1;
    });
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
};

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
