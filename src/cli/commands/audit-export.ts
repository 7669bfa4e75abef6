import { z } from 'zod';
import { isId } from '../../base/index.ts';
import { defineCommand } from '../command.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { CONNECTION_OPTIONS, parseGatewayUrl, readApiKey } from '../connection-options.ts';
import { fetchBundle } from '../fetch-bundle.ts';
import { askGateway, asUnreached, type GatewayAddress } from '../gateway-call.ts';
import { createPrivateFileFrom } from '../private-file.ts';
import { readBundleSize } from '../read-bundle-size.ts';
import { openStopRequest } from '../stop-request.ts';
import type { Terminal } from '../terminal.ts';

const POLL_MS = 500;
const INDEX = /^(?:0|[1-9][0-9]{0,9})$/;

export const command = defineCommand({
  options: {
    from: { type: 'string', value: 'INDEX', help: 'the first event (the size of OLD, or 0)' },
    to: { type: 'string', value: 'INDEX', help: 'the index after the last event (the end of the log)' },
    previous: {
      type: 'string',
      value: 'OLD',
      help: 'a bundle from before: the new one proves that the log only grew since',
    },
    out: { type: 'string', value: 'FILE', help: 'where to write the bundle, for its owner alone' },
    ...CONNECTION_OPTIONS,
  },
  description: `
Exports events of the audit log as a bundle that proves itself: has the gateway check the range against
a checkpoint that it signs now, shows how far that is, and writes the bundle to FILE. Needs the API key
of an AUDITOR. Asking for it and fetching it are events of the log themselves.

Whether the bundle holds is for sealdesk audit verify to say, which needs no gateway.`,
  async run({ values }, { terminal }) {
    const { url, out, previous } = values;
    if (url === undefined) throw new UsageError('--url URL is missing. See sealdesk audit export --help.');
    if (out === undefined) throw new UsageError('--out FILE is missing. See sealdesk audit export --help.');
    const range = { from: parseIndex('from', values.from), to: parseIndex('to', values.to) };
    const gateway = parseGatewayUrl(url);
    const apiKey = await readApiKey(values, terminal);
    if (apiKey === null) {
      throw new UsageError('--api-key (or --api-key-file) is missing. See sealdesk audit export --help.');
    }
    const previousSize = previous === undefined ? null : await readBundleSize(previous);
    const address = { url: gateway, apiKey, insecureHttp: values['insecure-http'] };
    using stop = openStopRequest();
    const stopped = new AbortController();
    void stop.received.then(() => stopped.abort(new CommandError('Stopped; nothing was written.')));

    const id = await begin(address, { ...range, previousSize });
    const { from, to, size } = await untilReady(address, id, terminal, stopped.signal);
    await createPrivateFileFrom(out, fetchBundle(address, id, stopped.signal)).catch((error: unknown) => {
      throw asUnreached(error, gateway);
    });
    terminal.print(`${out}: ${countOf(to - from)} (${from} to ${to}) of a log of ${size}.`);
    const withPrevious = previous === undefined ? '' : ` --previous ${previous}`;
    terminal.print(`Verify it: sealdesk audit verify ${out}${withPrevious}`);
    return 0;
  },
});

function parseIndex(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!INDEX.test(text)) throw new UsageError(`--${name} takes the index of an event, got '${text}'.`);
  return Number(text);
}

const exportId = z.string().refine((id) => isId('run', id));
const index = z.int().nonnegative();
const ExportState = z.object({
  state: z.enum(['CHECKING', 'READY', 'FAILED']),
  ...{ from: index, to: index, size: index, checked: index, brokenIndex: index.nullable() },
});

const BEGIN = {
  query:
    'mutation SealdeskAuditExport($input: ExportAuditInput!) { exportAudit(input: $input) { export { id } } }',
  answer: z.object({ exportAudit: z.object({ export: z.object({ id: exportId }) }) }),
};
const LOOK = {
  query:
    'query SealdeskAuditExport($id: ID!) { auditExport(id: $id) { state from to size checked brokenIndex } }',
  answer: z.object({ auditExport: ExportState }),
};

interface AskedRange {
  readonly from: number | null;
  readonly to: number | null;
  readonly previousSize: number | null;
}

async function begin(address: GatewayAddress, range: AskedRange): Promise<string> {
  const { exportAudit } = await askGateway(address, BEGIN, { input: { ...range } });
  return exportAudit.export.id;
}

/** Throws CommandError where an event does not hold, and the reason of `signal`. */
async function untilReady(
  address: GatewayAddress,
  id: string,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<z.infer<typeof ExportState>> {
  for (let told = -1; ; ) {
    signal.throwIfAborted();
    const { auditExport } = await askGateway(address, LOOK, { id });
    const { state, from, to, checked, brokenIndex } = auditExport;
    if (state === 'READY') return auditExport;
    if (state === 'FAILED') {
      throw new CommandError(
        `The audit log does not hold: the event at index ${brokenIndex} is not as it was logged.`,
      );
    }
    if (checked > told) terminal.warn(`sealdesk: ${checked} of ${countOf(to - from)} checked`);
    told = checked;
    await pause(signal);
  }
}

async function pause(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, POLL_MS);
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}

function countOf(events: number): string {
  return events === 1 ? '1 event' : `${events} events`;
}
