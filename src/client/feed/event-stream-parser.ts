/**
 * Server-sent events out of the text of a stream, in pieces as they come. Only names and data count here; comments,
 * ids and times to retry are skipped. Source: WHATWG HTML §9.2.6.
 */
import { ENVELOPE_LIMITS } from '../../envelope/index.ts';
import { GatewayAnswerError, TOO_LONG } from '../gateway-transport.ts';

export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
}

/** Characters of an event that has not ended: an envelope, and what stands around it. */
const MAX_EVENT = ENVELOPE_LIMITS.maxText + 64 * 1024;

export class EventStreamParser {
  /** Pieces of the line that has not ended. */
  #line: string[] = [];
  #afterReturn = false;
  #name = '';
  #data: string[] = [];
  #length = 0;

  /** The events that `text` completes. Throws GatewayAnswerError for one that is too long. */
  push(text: string): readonly ServerSentEvent[] {
    const events: ServerSentEvent[] = [];
    let start = 0;
    // CR LF may come in two pieces.
    if (this.#afterReturn && text.startsWith('\n')) start = 1;
    if (text !== '') this.#afterReturn = false;
    for (const { index, 0: lineEnd } of text.matchAll(/\r\n|\r|\n/g)) {
      if (index < start) continue;
      this.#keep(text.slice(start, index));
      const event = this.#endLine();
      if (event !== null) events.push(event);
      start = index + lineEnd.length;
      this.#afterReturn = lineEnd === '\r' && start === text.length;
    }
    this.#keep(text.slice(start));
    return events;
  }

  #keep(piece: string): void {
    if (piece === '') return;
    this.#length += piece.length;
    if (this.#length > MAX_EVENT) throw new GatewayAnswerError(TOO_LONG);
    this.#line.push(piece);
  }

  /** The event that an empty line ends, if there is one. */
  #endLine(): ServerSentEvent | null {
    const line = this.#line.join('');
    this.#line = [];
    if (line !== '') {
      this.#takeField(line);
      return null;
    }
    const event =
      this.#name === '' && this.#data.length === 0
        ? null
        : { event: this.#name, data: this.#data.join('\n') };
    this.#name = '';
    this.#data = [];
    this.#length = 0;
    return event;
  }

  #takeField(line: string): void {
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
    if (field === 'event') this.#name = value;
    else if (field === 'data') this.#data.push(value);
    else this.#length -= line.length;
  }
}
