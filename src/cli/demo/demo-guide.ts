/** What the demo prints: what runs where, and the commands of the walk-through. */
import { join } from 'node:path';
import { programCall, quoteForShell, shownPath } from '../package-root.ts';
import { type DemoFile, demoFilePath } from './demo-record.ts';

const QUERY = 'type:ticket status:open priority:high created>2026-01-01';
const AUDIT_QUERY =
  '{ auditEvents(last: 3, filter: {operation: "search"}) { edges { node { id occurredAt action operation outcome envelopes { sha256 } } } } }';

const GRAPH_QUERY =
  'query($id: ID!) { integration(id: $id) { tickets(first: 3, filter: {status: [OPEN]}) { totalCount nodes { zendeskId subject priority requester { name } organization { name } } } } }';

export interface DemoGuideInput {
  readonly file: DemoFile;
  readonly folder: string;
  readonly tickets: number;
  readonly changesPerMinute: number;
}

/** The lines to print. They hold the demo's API keys, which open nothing but the simulator's data. */
export function demoGuide({ file, folder, tickets, changesPerMinute }: DemoGuideInput): string {
  const call = {
    integration_id: file.integrationId,
    operation: 'search',
    payload: { query: QUERY, sort_by: 'created_at', sort_order: 'desc' },
  };
  return [
    `Sealdesk   ${file.url}  (GraphQL at /graphql)`,
    `Simulator  ${file.simulatorUrl}  a stand-in Zendesk: ${tickets} tickets, about ${changesPerMinute} changes a minute`,
    `Data       ${shownPath(join(folder, '/'))}, kept for the next start (the simulator’s tickets begin anew); addresses and keys in ${shownPath(demoFilePath(folder))}`,
    '',
    'Send a call; its answer is sealed to the demo client key:',
    `curl -X POST ${file.url}/api/v2/proxy/outbound ${headers(file.apiKeys.agent)} \\`,
    `  -d ${quoteForShell(JSON.stringify(call))} -o envelope.json`,
    'Open the answer:',
    `${programCall()} open envelope.json --key ${shownPath(file.clientKeyFile)}`,
    'Find the call in the audit log:',
    `curl -X POST ${file.url}/graphql ${headers(file.apiKeys.auditor)} \\`,
    `  -d ${quoteForShell(JSON.stringify({ query: AUDIT_QUERY }))}`,
    '',
    'Ask the typed graph; the answer travels sealed and is opened here (in programs: docs/client.md):',
    `${programCall()} query ${quoteForShell(GRAPH_QUERY)} \\`,
    `  --variables ${quoteForShell(JSON.stringify({ id: file.integrationId }))} --key ${shownPath(file.clientKeyFile)} --api-key ${file.apiKeys.agent}`,
    'Follow what changes, live and sealed; Ctrl+C ends it:',
    `${programCall()} feed tail --key ${shownPath(file.clientKeyFile)} --api-key ${file.apiKeys.dashboard}`,
    '',
    'In a browser: npm run example, in another terminal. Ctrl+C stops both.',
    '',
  ].join('\n');
}

function headers(apiKey: string): string {
  return `-H "X-API-Key: ${apiKey}" -H "Content-Type: application/json"`;
}
