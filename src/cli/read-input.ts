/** What commands read: a file, or standard input where `-` is named. */
import { createReadStream } from 'node:fs';
import { concatBytes, parseUtf8 } from '../base/index.ts';
import { CommandError } from './command-error.ts';
import type { Terminal } from './terminal.ts';

/** The text of `file` in UTF-8, of `maxBytes` at most. Throws CommandError for anything else. */
export async function readInputText(terminal: Terminal, file: string, maxBytes: number): Promise<string> {
  const name = file === '-' ? 'Standard input' : file;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of file === '-' ? terminal.input : readChunks(file)) {
    length += chunk.length;
    if (length > maxBytes) throw new CommandError(`${name} is longer than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  const text = parseUtf8(concatBytes(...chunks));
  if (text === null) throw new CommandError(`${name} is not text in UTF-8.`);
  return text;
}

/** The JSON value of `file`. The parser's own message is not shown, since it quotes the text. */
export async function readInputJson(terminal: Terminal, file: string, maxBytes: number): Promise<unknown> {
  const text = await readInputText(terminal, file, maxBytes);
  try {
    return JSON.parse(text);
  } catch {
    throw new CommandError(`${file === '-' ? 'Standard input' : file} is not JSON.`);
  }
}

/**
 * The lines of `file` in UTF-8, without their line ends, read as they are asked for. What is no text, is
 * longer than `maxLineBytes` or lacks its line end comes as an empty line.
 */
export async function* readInputLines(
  terminal: Terminal,
  file: string,
  maxLineBytes: number,
): AsyncGenerator<string> {
  let begun: Uint8Array[] = [];
  let length = 0;
  const finish = (): string => {
    const text = length > maxLineBytes ? null : parseUtf8(concatBytes(...begun));
    begun = [];
    length = 0;
    return text ?? '';
  };
  for await (const chunk of file === '-' ? terminal.input : readChunks(file)) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_END); end >= 0; end = chunk.indexOf(LINE_END, from)) {
      begun.push(chunk.subarray(from, end));
      length += end - from;
      yield finish();
      from = end + 1;
    }
    length += chunk.length - from;
    // Of a line that is too long already nothing more is kept.
    if (length <= maxLineBytes) begun.push(chunk.subarray(from));
  }
  if (length > 0) yield '';
}

const LINE_END = 0x0a;

async function* readChunks(file: string): AsyncGenerator<Uint8Array> {
  for await (const chunk of createReadStream(file)) {
    if (chunk instanceof Uint8Array) yield chunk;
  }
}
