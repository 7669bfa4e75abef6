/** Writes an answer that goes on, no faster than it is taken. It has no timer: whoever holds all beats them. */
import type { ServerResponse } from 'node:http';
import type { AnswerStream } from './answer.ts';
import { Flow } from './flow.ts';

export class StreamWriter {
  readonly #response: ServerResponse;
  readonly #stream: AnswerStream;
  readonly #flow = new Flow();
  #hasWritten = false;

  constructor(response: ServerResponse, stream: AnswerStream) {
    this.#response = response;
    this.#stream = stream;
  }

  get kind(): AnswerStream['kind'] {
    return this.#stream.kind;
  }

  /** Resolves when all is written, or the other side has gone. */
  async write(): Promise<void> {
    const response = this.#response;
    response.once('close', () => this.#stream.end());
    response.flushHeaders();
    for await (const chunk of this.#stream.chunks) {
      if (response.closed) break;
      this.#hasWritten = true;
      this.#flow.hand(chunk.length);
      if (!response.write(chunk)) await this.#untilRoom();
    }
    response.end();
  }

  /** Ends the answer in order. */
  end(): void {
    this.#stream.end();
  }

  /** Writes a heartbeat where nothing else was written since the last; `false` where the other side took nothing for `maxStalledBeats`. */
  beat(maxStalledBeats: number): boolean {
    const waiting = this.#response.writableLength;
    if (this.#flow.beat(waiting) >= maxStalledBeats) return false;
    const { heartbeat } = this.#stream;
    if (heartbeat !== null && !this.#hasWritten && waiting === 0) this.#response.write(heartbeat);
    this.#hasWritten = false;
    return true;
  }

  /** Cuts it off. */
  destroy(): void {
    this.#response.destroy();
  }

  async #untilRoom(): Promise<void> {
    const response = this.#response;
    const { promise, resolve } = Promise.withResolvers<void>();
    response.once('drain', resolve);
    response.once('close', resolve);
    await promise;
    response.off('drain', resolve);
    response.off('close', resolve);
  }
}
