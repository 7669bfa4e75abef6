/**
 * One WebSocket as graphql-ws speaks over it. While much is on the way, what is to be sent waits its turn, so that
 * who pulls for it pulls no further, and nothing is read either: what a client can have us hold is bounded both
 * ways, by one message more than the bound, however many subscriptions there are.
 * It has no timer of its own; whoever holds all sockets beats them.
 */
import type { Duplex } from 'node:stream';
import type { WebSocket as Transport } from 'graphql-ws';
import type { WebSocket } from 'ws';
import { Flow } from '../flow.ts';
import { fitReason } from './close-code.ts';

/** Bytes that may be on the way to a client before the next message waits. */
export const MAX_WAITING_BYTES = 262_144;

/** What a beat found. */
export type SocketState = 'ALIVE' | 'SILENT' | 'STALLED';

/** A message that waits its turn. */
interface Waiting {
  readonly text: string;
  readonly settle: () => void;
}

export class GraphqlSocket implements Transport {
  readonly #ws: WebSocket;
  readonly #onFailure: (error: unknown) => void;
  readonly #flow = new Flow();
  /** Oldest first. */
  #waiting: Waiting[] = [];
  #isPaused = false;
  #awaitsPong = false;
  /** Whether nothing was on the way at the last beat. */
  #wasQuiet = true;

  /** `tcp` is what `ws` was made of; `onFailure` is told why a message could not be dealt with. */
  constructor(ws: WebSocket, tcp: Duplex, onFailure: (error: unknown) => void) {
    this.#ws = ws;
    this.#onFailure = onFailure;
    ws.on('pong', () => {
      this.#awaitsPong = false;
    });
    ws.once('close', () => this.#giveUp());
    tcp.on('drain', () => this.#goOn());
  }

  get protocol(): string {
    return this.#ws.protocol;
  }

  /** Sends once there is room, and settles then. After the end nothing is sent, and nothing waited for. */
  send(text: string): Promise<void> | void {
    if (!this.#isOpen) return;
    if (!this.#isPaused) {
      this.#write(text);
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ text, settle: resolve });
    return promise;
  }

  /** Of `reason` what fits. */
  close(code: number, reason: string): void {
    // Who does not read would not be read either, and its answer to the close never be seen.
    this.#ws.resume();
    this.#ws.close(code, fitReason(reason));
    this.#giveUp();
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
    if (!this.#awaitsPong && this.#isOpen) {
      this.#awaitsPong = true;
      this.#ws.ping();
    }
    return 'ALIVE';
  }

  get #isOpen(): boolean {
    return this.#ws.readyState === this.#ws.OPEN;
  }

  #write(text: string): void {
    this.#ws.send(text);
    this.#flow.hand(text.length);
    if (this.#isPaused || this.#ws.bufferedAmount <= MAX_WAITING_BYTES) return;
    this.#isPaused = true;
    this.#ws.pause();
  }

  /** All that was on the way has gone: one by one what waits follows, as long as there is room. */
  #goOn(): void {
    if (!this.#isPaused || !this.#isOpen) return;
    while (this.#ws.bufferedAmount <= MAX_WAITING_BYTES) {
      const next = this.#waiting.shift();
      if (next === undefined) {
        this.#isPaused = false;
        this.#ws.resume();
        return;
      }
      this.#write(next.text);
      next.settle();
    }
  }

  /** Nothing is sent any more. */
  #giveUp(): void {
    const given = this.#waiting;
    this.#waiting = [];
    for (const { settle } of given) settle();
  }
}
