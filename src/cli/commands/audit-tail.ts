import { z } from 'zod';
import { GatewayAnswerError } from '../../client/index.ts';
import { type AuditLine, followAuditLog } from '../audit-log-stream.ts';
import { defineCommand } from '../command.ts';
import { UsageError } from '../command-error.ts';
import { CONNECTION_OPTIONS, parseGatewayUrl, readApiKey } from '../connection-options.ts';
import { askGateway } from '../gateway-call.ts';
import { printableJson } from '../printable-json.ts';
import { openStopRequest } from '../stop-request.ts';

const NEWEST = {
  query: '{ auditEvents(last: 1) { pageInfo { endCursor } } }',
  answer: z.object({ auditEvents: z.object({ pageInfo: z.object({ endCursor: z.string().nullable() }) }) }),
};

export const command = defineCommand({
  options: {
    after: {
      type: 'string',
      value: 'CURSOR',
      help: 'go on after this place, also one of auditEvents (events from now on)',
    },
    ...CONNECTION_OPTIONS,
  },
  description: `
Follows the audit log until it is stopped (Ctrl+C), and prints each event as one line of JSON. Needs the
API key of an AUDITOR. None is left out and none comes twice: each has to have the next index, and
connections that break are opened again at the place that was reached. Each connection is an event of
the log itself.

Standard error tells of connections; its last line is the cursor to go on from with --after. What is
printed is the gateway's word: sealdesk audit export and audit verify prove it.`,
  async run({ values }, { terminal }) {
    const { url, after = null } = values;
    if (url === undefined) throw new UsageError('--url URL is missing. See sealdesk audit tail --help.');
    const gateway = parseGatewayUrl(url);
    const apiKey = await readApiKey(values, terminal);
    if (apiKey === null) {
      throw new UsageError('--api-key (or --api-key-file) is missing. See sealdesk audit tail --help.');
    }
    // Refuses clear http to another machine and keys without the role, before anything is kept open.
    await askGateway({ url: gateway, apiKey, insecureHttp: values['insecure-http'] }, NEWEST);
    using stop = openStopRequest();
    const stopped = new AbortController();
    void stop.received.then(() => stopped.abort());
    let last: AuditLine | null = null;
    const onBreak = (reason: string, milliseconds: number): void =>
      terminal.warn(`sealdesk: ${reason} Trying again in ${Math.ceil(milliseconds / 1000)} s.`);
    try {
      const lines = followAuditLog({ url: gateway, apiKey, after, signal: stopped.signal, onBreak });
      for await (const line of lines) {
        if (last !== null && line.index !== last.index + 1) {
          throw new GatewayAnswerError(
            `The gateway sent the event at index ${line.index} where ${last.index + 1} had to come.`,
          );
        }
        last = line;
        terminal.print(printableJson(line.event, 0));
      }
      return 0;
    } finally {
      if (last !== null) terminal.warn(`sealdesk: Go on with --after ${last.cursor}`);
    }
  },
});
