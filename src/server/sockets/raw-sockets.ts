/**
 * Connections between their request to upgrade and a WebSocket on them. No time limit of node:http reaches
 * them any more, and a server does not close while one is open: so each is cut off once it was refused and told
 * why, or at the second beat that finds it here.
 */
import type { Duplex } from 'node:stream';

export class RawSockets {
  /** With whether a beat has seen it. */
  readonly #held = new Map<Duplex, boolean>();

  hold(tcp: Duplex): void {
    this.#held.set(tcp, false);
    // Without a listener an error of the socket would end the process.
    tcp.on('error', ignore);
    tcp.once('close', () => this.#held.delete(tcp));
  }

  has(tcp: Duplex): boolean {
    return this.#held.has(tcp);
  }

  /** Leaves `tcp` to whoever took it over. */
  release(tcp: Duplex): void {
    this.#held.delete(tcp);
    tcp.off('error', ignore);
  }

  /** Writes `answer` and ends it both ways: the other side may keep its half open for ever. */
  end(tcp: Duplex, answer: string): void {
    tcp.once('finish', () => tcp.destroy());
    tcp.end(answer);
  }

  beat(): void {
    for (const [tcp, isSeen] of this.#held) {
      if (isSeen) tcp.destroy();
      else this.#held.set(tcp, true);
    }
  }

  /** Cuts all off. */
  terminate(): void {
    for (const tcp of this.#held.keys()) tcp.destroy();
  }
}

function ignore(): void {}
