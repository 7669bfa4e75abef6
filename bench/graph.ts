/**
 * The page an agent's list shows: 100 tickets with requester, assignee, submitter and organization.
 * Four ways to it, taken in turn against one simulator that answers after 30 ms: the sealed graph over
 * HTTP, opened by the client; a hand-written sequence of three REST calls, as one would write it for this
 * page alone; the same with people and organizations asked for at once, as the gateway asks for them; and
 * the naive resolver, one call for every reference. Gateway (on its embedded database) and simulator run
 * in processes of their own. The simulator sends people along in part only; of an account that sends them
 * whole the page costs the gateway one call, which is not measured here.
 */
import { ADMIN_EMAIL, DEFAULT_API_TOKEN } from '../simulator/index.ts';
import { createEnvelopeOpener, parseKeyFile } from '../src/client/index.ts';
import { createNodeSuite } from '../src/envelope/node.ts';
import { type BenchTenant, firstLineOf, openGatewayProcess, openProcess } from './gateway-process.ts';
import { controlSimulator, type Json } from './simulator-control.ts';
import { median } from './statistics.ts';

const BARS = Object.freeze({ calls: 3, ratio: 1.15 });
const LATENCY_MS = 30;
const ROUNDS = 60;
const NAIVE_ROUNDS = 3;
const WARM_UP = 8;
/** Requests under way at once in the naive way, as many as the gateway itself has. */
const NAIVE_CONCURRENCY = 32;

const PERSON = '{ id name email role photo timeZone }';
const PAGE = `query Page($integration: ID!) {
  integration(id: $integration) {
    tickets(first: 100) {
      nodes {
        id subject status priority type tags createdAt updatedAt
        requester ${PERSON} assignee ${PERSON} submitter ${PERSON}
        organization { id name domainNames details }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}`;

/** One way to the page: resolves to how many tickets it showed. */
type Way = () => Promise<number>;

/** Whether the bars were met. */
export async function run(): Promise<boolean> {
  const simulator = openProcess(['bench/simulator-process.ts']);
  await using _simulator = simulator;
  const zendesk = await firstLineOf(simulator);
  const suite = createNodeSuite();
  await using gateway = await openGatewayProcess({
    suite,
    zendeskOrigin: zendesk,
    credential: { type: 'BASIC_AUTH', secret: { username: ADMIN_EMAIL, password: DEFAULT_API_TOKEN } },
  });
  await controlSimulator(zendesk, 'POST', 'faults', {
    effect: { kind: 'latency', milliseconds: LATENCY_MS },
  });

  const sealed = sealedGraph(gateway.tenant);
  const written = handWritten(zendesk, inSequence);
  const atOnce = handWritten(zendesk, together);
  const samples = { sealed: [] as number[], written: [] as number[], atOnce: [] as number[] };
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    const sealedTime = await timeOf(sealed);
    const writtenTime = await timeOf(written);
    const atOnceTime = await timeOf(atOnce);
    if (round < 0) continue;
    samples.sealed.push(sealedTime);
    samples.written.push(writtenTime);
    samples.atOnce.push(atOnceTime);
  }
  const naive: number[] = [];
  const naiveWay = oneCallPerReference(zendesk);
  for (let round = 0; round < NAIVE_ROUNDS; round += 1) naive.push(await timeOf(naiveWay));

  const calls = {
    sealed: await callsOf(zendesk, sealed),
    written: await callsOf(zendesk, written),
    naive: await callsOf(zendesk, naiveWay),
  };
  const times = {
    sealed: median(samples.sealed),
    written: median(samples.written),
    atOnce: median(samples.atOnce),
    naive: median(naive),
  };
  const ratio = times.sealed / times.written;
  const againstAtOnce = `sealed graph ${(times.sealed / times.atOnce).toFixed(2)} x this`;
  console.log(
    `100 tickets with requester, assignee, submitter and organization; Zendesk answers after ${LATENCY_MS} ms`,
  );
  console.log(row('sealed graph', calls.sealed, times.sealed, `${ratio.toFixed(2)} x hand-written`));
  console.log(row('hand-written sequence', calls.written, times.written, '1.00 x'));
  console.log(row('the same, at once', calls.written, times.atOnce, againstAtOnce));
  console.log(
    row(
      'naive resolver',
      calls.naive,
      times.naive,
      `${(times.naive / times.sealed).toFixed(1)} x sealed graph`,
    ),
  );
  const met = calls.sealed <= BARS.calls && ratio <= BARS.ratio;
  console.log(
    `bars: ${BARS.calls} calls, <= ${BARS.ratio} x hand-written sequence: ${met ? 'met' : 'MISSED'}`,
  );
  return met;
}

/** As a client does it: seal-asking request, envelope opened and its result read. */
function sealedGraph({ url, agentKey, keyFile, integrationId }: BenchTenant): Way {
  const suite = createNodeSuite();
  const opener = createEnvelopeOpener(suite, parseKeyFile(suite, keyFile));
  const body = JSON.stringify({ query: PAGE, variables: { integration: integrationId } });
  return async () => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/vnd.sealdesk.envelope+json',
        'x-api-key': agentKey,
      },
      body,
    });
    const { plaintext } = await opener.open(await response.json(), { purposes: ['graphql.result'] });
    const result: Json = JSON.parse(new TextDecoder().decode(plaintext));
    if (result.errors !== undefined) throw new Error(JSON.stringify(result.errors));
    return result.data.integration.tickets.nodes.length;
  };
}

/** How several calls are made whose paths are known. */
type Several = (zendesk: string, paths: readonly string[]) => Promise<readonly Json[]>;

const inSequence: Several = async (zendesk, paths) => {
  const answers: Json[] = [];
  for (const path of paths) answers.push(await get(zendesk, path));
  return answers;
};

const together: Several = (zendesk, paths) => Promise.all(paths.map((path) => get(zendesk, path)));

function handWritten(zendesk: string, getSeveral: Several): Way {
  return async () => {
    const { tickets } = await get(zendesk, '/api/v2/tickets.json?page[size]=100&sort=-id');
    const people = new Set<number>();
    const organizations = new Set<number>();
    for (const ticket of tickets) {
      for (const id of [ticket.requester_id, ticket.assignee_id, ticket.submitter_id]) {
        if (id !== null) people.add(id);
      }
      if (ticket.organization_id !== null) organizations.add(ticket.organization_id);
    }
    const batches = [
      ...chunks([...people], 100).map((ids) => ['users', ids] as const),
      ...chunks([...organizations], 100).map((ids) => ['organizations', ids] as const),
    ];
    const answers = await getSeveral(
      zendesk,
      batches.map(([type, ids]) => `/api/v2/${type}/show_many.json?ids=${ids.join(',')}`),
    );
    const byId = new Map<number, Json>(
      answers.flatMap((answer) => (answer.users ?? answer.organizations).map((one: Json) => [one.id, one])),
    );
    const shown = tickets.map((ticket: Json) => ({
      ...ticket,
      requester: byId.get(ticket.requester_id),
      assignee: byId.get(ticket.assignee_id),
      submitter: byId.get(ticket.submitter_id),
      organization: byId.get(ticket.organization_id),
    }));
    return shown.length;
  };
}

function oneCallPerReference(zendesk: string): Way {
  return async () => {
    const { tickets } = await get(zendesk, '/api/v2/tickets.json?page[size]=100&sort=-id');
    const paths: string[] = tickets.flatMap((ticket: Json) => [
      ...[ticket.requester_id, ticket.assignee_id, ticket.submitter_id]
        .filter((id) => id !== null)
        .map((id) => `/api/v2/users/${id}.json`),
      ...(ticket.organization_id === null ? [] : [`/api/v2/organizations/${ticket.organization_id}.json`]),
    ]);
    const waiting = [...paths];
    const work = async (): Promise<void> => {
      for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) await get(zendesk, path);
    };
    await Promise.all(Array.from({ length: NAIVE_CONCURRENCY }, work));
    return tickets.length;
  };
}

const authorization = `Basic ${Buffer.from(`${ADMIN_EMAIL}/token:${DEFAULT_API_TOKEN}`).toString('base64')}`;

async function get(zendesk: string, path: string): Promise<Json> {
  const response = await fetch(`${zendesk}${path}`, {
    headers: { accept: 'application/json', authorization },
  });
  if (!response.ok) throw new Error(`The simulator answered ${response.status}`);
  return response.json();
}

/** Calls that reach Zendesk for one page. */
async function callsOf(zendesk: string, way: Way): Promise<number> {
  const before = await controlSimulator(zendesk, 'GET', 'stats');
  await way();
  const after = await controlSimulator(zendesk, 'GET', 'stats');
  return after.requests.total - before.requests.total;
}

async function timeOf(way: Way): Promise<number> {
  const start = performance.now();
  const shown = await way();
  if (shown !== 100) throw new Error(`The page showed ${shown} tickets`);
  return performance.now() - start;
}

function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

function row(name: string, calls: number, milliseconds: number, note: string): string {
  return `  ${name.padEnd(21)} ${String(calls).padStart(4)} calls ${milliseconds.toFixed(1).padStart(8)} ms   ${note}`;
}
