/**
 * One WebSocket as graphql-ws speaks over it. Sending waits while much is on the way, so that who pulls for it
 * pulls no further, and meanwhile nothing is read either: what a client can have us hold is bounded both ways.
 * It has no timer of its own; whoever holds all sockets beats them.
 */
import type { Duplex } from 'node:stream';
import type { WebSocket as Transport } from 'graphql-ws';
import type { WebSocket } from 'ws';
import { Flow } from '../flow.ts';

/** Bytes that may be on the way to a client before sending waits for it. */
export const MAX_WAITING_BYTES = 262_144;

/** What a beat found. */
export type SocketState = 'ALIVE' | 'SILENT' | 'STALLED';

export class GraphqlSocket implements Transport {
  readonly #ws: WebSocket;
  readonly #tcp: Duplex;
  readonly #onFailure: (error: unknown) => void;
  readonly #flow = new Flow();
  #room: PromiseWithResolvers<void> | null = null;
  #awaitsPong = false;
  /** Whether nothing was on the way at the last beat. */
  #wasQuiet = true;

  /** `tcp` is what `ws` was made of; `onFailure` is told why a message could not be dealt with. */
  constructor(ws: WebSocket, tcp: Duplex, onFailure: (error: unknown) => void) {
    this.#ws = ws;
    this.#tcp = tcp;
    this.#onFailure = onFailure;
    ws.on('pong', () => {
      this.#awaitsPong = false;
    });
    ws.once('close', () => this.#room?.resolve());
  }

  get protocol(): string {
    return this.#ws.protocol;
  }

  /** Sends; settles when there is room for more. After the end nothing is sent, and nothing waited for. */
  send(text: string): Promise<void> | void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    this.#ws.send(text);
    this.#flow.hand(text.length);
    if (this.#ws.bufferedAmount > MAX_WAITING_BYTES) return this.#untilRoom();
  }

  close(code: number, reason: string): void {
    // Who does not read would not be read either, and its answer to the close never be seen.
    this.#ws.resume();
    this.#ws.close(code, reason);
  }

  terminate(): void {
    this.#ws.terminate();
  }

  onMessage(receive: (text: string) => Promise<void>): void {
    this.#ws.on('message', (data) => {
      receive(String(data)).catch(this.#onFailure);
    });
  }

  /** Pings, and tells how the client has kept up since the last beat. */
  beat(maxStalledBeats: number): SocketState {
    const waiting = this.#ws.bufferedAmount;
    if (this.#flow.beat(waiting) >= maxStalledBeats) return 'STALLED';
    const isQuiet = waiting === 0;
    // What is on the way before a ping delays it, and what waits keeps its answer from being read.
    if (this.#awaitsPong && this.#wasQuiet && isQuiet) return 'SILENT';
    this.#wasQuiet = isQuiet;
    if (!this.#awaitsPong && this.#ws.readyState === this.#ws.OPEN) {
      this.#awaitsPong = true;
      this.#ws.ping();
    }
    return 'ALIVE';
  }

  #untilRoom(): Promise<void> {
    if (this.#room !== null) return this.#room.promise;
    const room = Promise.withResolvers<void>();
    this.#room = room;
    this.#ws.pause();
    this.#tcp.once('drain', () => {
      this.#room = null;
      this.#ws.resume();
      room.resolve();
    });
    return room.promise;
  }
}
