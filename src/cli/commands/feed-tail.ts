import { z } from 'zod';
import { isId } from '../../base/index.ts';
import {
  type FeedGap,
  type FeedState,
  printableLine,
  type SealdeskClient,
  subscribeTicketChanges,
  type TicketChange,
} from '../../client/index.ts';
import { defineCommand } from '../command.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { CONNECTION_OPTIONS, readApiKey } from '../connection-options.ts';
import { muteExperimentalWarnings } from '../experimental-warnings.ts';
import { asUnreached } from '../gateway-call.ts';
import { asUnsent, openKeyFileClient } from '../key-file-client.ts';
import { printableJson } from '../printable-json.ts';
import { openStopRequest } from '../stop-request.ts';
import type { Terminal } from '../terminal.ts';

export const command = defineCommand({
  options: {
    key: { type: 'string', value: 'FILE', help: 'the key file that the changes are sealed to' },
    integration: {
      type: 'string',
      value: 'ID',
      help: 'the integration (the only one that the caller sees)',
    },
    after: { type: 'string', value: 'CURSOR', help: 'go on after this place (changes from now on)' },
    json: { type: 'boolean', help: 'print each change as one line of JSON' },
    sse: {
      type: 'boolean',
      help: 'use server-sent events, where WebSockets do not get through',
    },
    ...CONNECTION_OPTIONS,
    url: { type: 'string', value: 'URL', help: 'address of the gateway (the one that the key file names)' },
  },
  description: `
Follows the changes of tickets until it is stopped (Ctrl+C), and prints each with its time, ticket,
status, kinds of change and subject. Every change is verified and opened with the key in FILE, and held
against the number that the gateway signs: one that was left out, repeated or altered is never
printed; where that happens again and again, the command fails. Without an API key each connection is
signed for by the key in FILE, which may log in by itself where its mapping granted that.

Connections that break are opened again, and standard error tells of it. The last line there is the
cursor to go on from with --after. Where changes may be missing, because the gateway keeps nothing
any more of what comes after the cursor or had no active key, standard error says so; with --json also
a line {"gap": …} between the changes.`,
  async run({ values }, { terminal }) {
    const { key: file, after = null } = values;
    if (file === undefined) throw new UsageError('--key FILE is missing. See sealdesk feed tail --help.');
    const apiKey = await readApiKey(values, terminal);
    using _quiet = muteExperimentalWarnings();
    const { client, url } = await openKeyFileClient({
      ...{ file, apiKey, url: values.url },
      insecureHttp: values['insecure-http'],
    });
    using stop = openStopRequest();
    const integrationId = values.integration ?? (await findOnlyIntegration(client, url));
    const printer = createPrinter(terminal, values.json, integrationId);
    await using changes = subscribe(() =>
      subscribeTicketChanges({
        ...{ client, integrationId, after, onGap: printer.gap, onState: printer.state },
        ...(values.sse ? { transport: 'SSE' } : {}),
      }),
    );
    void stop.received.then(() => changes.return());
    try {
      for await (const change of changes) printer.change(change);
      return 0;
    } finally {
      if (changes.cursor !== null) terminal.warn(`sealdesk: Go on with --after ${changes.cursor}`);
    }
  },
});

function subscribe<Changes>(begin: () => Changes): Changes {
  try {
    return begin();
  } catch (error) {
    throw asUnsent(error);
  }
}

const INTEGRATIONS = '{ integrations(first: 2) { edges { node { id } } } }';
const IntegrationsAnswer = z.object({
  integrations: z.object({
    edges: z.array(z.object({ node: z.object({ id: z.string().refine((id) => isId('integration', id)) }) })),
  }),
});

/** Throws CommandError where the API key sees none or several. */
async function findOnlyIntegration(client: SealdeskClient, url: string): Promise<string> {
  const { data, errors } = await client.request(INTEGRATIONS).catch((error: unknown) => {
    throw asUnsent(asUnreached(error, url));
  });
  const [failure] = errors ?? [];
  if (failure !== undefined) {
    throw new CommandError(`${failure.message} (${String(failure.extensions?.['code'] ?? 'no code')})`);
  }
  const answer = IntegrationsAnswer.safeParse(data);
  const [first, second] = answer.data?.integrations.edges ?? [];
  if (first === undefined) throw new CommandError('This key sees no integration. An ADMIN creates one.');
  if (second !== undefined) {
    throw new CommandError('This key sees several integrations: name one with --integration ID.');
  }
  return first.node.id;
}

interface Printer {
  change(change: TicketChange): void;
  gap(gap: FeedGap): void;
  state(state: FeedState): void;
}

const GAPS: Readonly<Record<FeedGap['reason'], string>> = Object.freeze({
  NO_ACTIVE_KEY: 'for a time there was no active key to seal to',
  SOURCE_RESTARTED: 'the export of Zendesk had to begin anew',
  CURSOR_EXPIRED: 'the gateway does not keep what came after the cursor',
});

/** Changes go to standard output, what happens to the connection to standard error. */
function createPrinter(terminal: Terminal, json: boolean, integrationId: string): Printer {
  /** Of the connection, as it was told. */
  let told: 'NOTHING' | 'FOLLOWING' | 'BROKEN' = 'NOTHING';
  return {
    change: (change) => terminal.print(json ? printableJson(change, 0) : lineOf(change)),
    gap(gap) {
      if (json) terminal.print(printableJson({ gap }, 0));
      terminal.warn(`sealdesk: Changes may be missing here: ${GAPS[gap.reason]} (${gap.reason}).`);
    },
    state(state) {
      if (state.kind === 'WAITING') {
        if (told === 'FOLLOWING') told = 'BROKEN';
        const seconds = Math.ceil(state.milliseconds / 1000);
        terminal.warn(`sealdesk: ${printableLine(state.error.message)} Trying again in ${seconds} s.`);
      } else if (state.kind === 'FOLLOWING' && told !== 'FOLLOWING') {
        const first = `Following ${integrationId}: ${state.position.sequence} changes so far.`;
        terminal.warn(`sealdesk: ${told === 'NOTHING' ? first : 'Connected again.'}`);
        told = 'FOLLOWING';
      }
    },
  };
}

/** Time, ticket, status, kinds of change, subject. */
function lineOf({ content, occurredAt }: TicketChange): string {
  const time = occurredAt.toISOString().replace(/\.\d+Z$/, 'Z');
  const kinds = ('changes' in content ? content.changes.join(',') : '') || '-';
  const ticket = `#${content.ticket_id}`.padEnd(9);
  switch (content.kind) {
    case 'CHANGED': {
      const { status, subject } = content.ticket;
      return printableLine(`${time}  ${ticket}  ${status.padEnd(8)}  ${kinds}  ${subject ?? ''}`.trimEnd());
    }
    case 'DELETED': {
      const state = content.permanent ? 'erased' : 'deleted';
      return printableLine(`${time}  ${ticket}  ${state.padEnd(8)}  ${kinds}`);
    }
    case 'ENTERED_SCOPE': {
      const { subject } = content.ticket;
      return printableLine(
        `${time}  ${ticket}  ${'entered'.padEnd(8)}  ${kinds}  ${subject ?? ''}`.trimEnd(),
      );
    }
    case 'LEFT_SCOPE':
      return printableLine(`${time}  ${ticket}  ${'left'.padEnd(8)}  ${kinds}`);
    default:
      content satisfies never;
      throw new TypeError('A change is of another kind');
  }
}
