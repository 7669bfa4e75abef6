/**
 * Writing a list of the graph as a file of CSV: page after page is asked for sealed, opened here and written as it
 * comes into a draft beside the file, which is there in the end as a whole or not at all. A gateway that asks for
 * patience, or that falls silent once the export is under way, is asked again from the same page.
 */
import { encodeUtf8 } from '../base/index.ts';
import { GatewayAnswerError, printableLine } from '../client/index.ts';
import { CommandError, UsageError } from './command-error.ts';
import { CONNECTION_OPTIONS, type ConnectionValues, readApiKey } from './connection-options.ts';
import { encodeCsvRow } from './csv.ts';
import { muteExperimentalWarnings } from './experimental-warnings.ts';
import { type KeyFileClient, openKeyFileClient } from './key-file-client.ts';
import { assertNoSuchFile, createPrivateFileFrom, replacePrivateFileFrom } from './private-file.ts';
import type { SealedCallOptions } from './sealed-call.ts';
import { openStopRequest } from './stop-request.ts';
import type { Terminal } from './terminal.ts';

export const EXPORT_OPTIONS = {
  key: { type: 'string', value: 'FILE', help: 'the key file that the answers are sealed to' },
  out: { type: 'string', value: 'FILE', help: 'where to write the CSV, for its owner alone' },
  force: { type: 'boolean', help: 'replace FILE where it exists already' },
  ...CONNECTION_OPTIONS,
  url: { type: 'string', value: 'URL', help: 'address of the gateway (the one that the key file names)' },
} as const;

/** Rows between two words of how far it is. */
const ROWS_BETWEEN_WORDS = 1_000;

export interface ExportValues extends ConnectionValues {
  readonly key: string | undefined;
  readonly out: string | undefined;
  readonly force: boolean;
  readonly 'insecure-http': boolean;
}

export interface CsvPage {
  readonly rows: readonly (readonly (string | null)[])[];
  /** Of the list, as far as the first page tells it. */
  readonly total: number | null;
  /** The cursor to go on from; `null` for the last page. */
  readonly next: string | null;
}

export interface CsvExport {
  /** Of the command, for its refusals. */
  readonly name: string;
  readonly header: readonly string[];
  readonly readPage: (
    connection: KeyFileClient,
    after: string | null,
    options: SealedCallOptions,
  ) => Promise<CsvPage>;
}

export interface WrittenCsv {
  readonly file: string;
  readonly rows: number;
}

/** Writes it. Throws CommandError where the file exists, where nobody answers and where it was stopped; nothing is written then. */
export async function writeCsvExport(
  values: ExportValues,
  terminal: Terminal,
  { name, header, readPage }: CsvExport,
): Promise<WrittenCsv> {
  const { key, out: file, force, url } = values;
  if (key === undefined) throw new UsageError(`--key FILE is missing. See sealdesk ${name} --help.`);
  if (file === undefined) throw new UsageError(`--out FILE is missing. See sealdesk ${name} --help.`);
  const apiKey = await readApiKey(values, terminal);
  if (!force) await assertNoSuchFile(file, 'Name another file, or replace it with --force.');
  using _quiet = muteExperimentalWarnings();
  const connection = await openKeyFileClient({
    ...{ file: key, apiKey, url },
    insecureHttp: values['insecure-http'],
  });
  using stop = openStopRequest();
  const stopped = new AbortController();
  void stop.received.then(() => stopped.abort(new CommandError('Stopped; nothing was written.')));
  let rows = 0;

  async function* pieces(): AsyncGenerator<Uint8Array, void> {
    yield encodeUtf8(encodeCsvRow(header));
    let told = 0;
    let total: number | null = null;
    let after: string | null = null;
    let isUnderWay = false;
    do {
      const page: CsvPage = await readPage(connection, after, {
        ...{ signal: stopped.signal, isUnderWay },
        onWait: (failure, seconds) =>
          terminal.warn(`sealdesk: ${printableLine(failure.message)} Trying again in ${seconds} s.`),
      });
      if (page.next !== null && page.next === after) {
        throw new GatewayAnswerError('The gateway answered a page that leads to itself.');
      }
      yield encodeUtf8(page.rows.map(encodeCsvRow).join(''));
      rows += page.rows.length;
      total ??= page.total;
      after = page.next;
      isUnderWay = true;
      if (after !== null && rows - told >= ROWS_BETWEEN_WORDS) {
        terminal.warn(`sealdesk: ${rows} of ${total ?? 'all'} people`);
        told = rows;
      }
    } while (after !== null);
  }

  await (force ? replacePrivateFileFrom : createPrivateFileFrom)(file, pieces());
  return { file, rows };
}
