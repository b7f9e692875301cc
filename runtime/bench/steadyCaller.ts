import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** One connection with at most one request under way. */
interface Line {
  readonly socket: Socket;
  sentAt: number;
  /** Bytes of the answer that are still to come. */
  left: number;
}

/**
 * Asks the same at a steady rate, whether or not earlier answers are there, and keeps the latencies. Written on bare
 * sockets: a client that takes as long for a request as the server measures itself. Keeps a core busy meanwhile, for a
 * timer rings late by as much as an answer takes: what was due by then would go out in one burst, and be the slowest.
 */
export class SteadyCaller {
  readonly #request: Buffer;
  readonly #idle: Line[] = [];
  readonly #all: Line[] = [];
  /** Bytes of an answer; equal for all, as every request is. */
  #answerBytes = 0;
  #latencies: number[] = [];
  #fault: Error | undefined;

  private constructor(request: Buffer) {
    this.#request = request;
  }

  /** Throws where the first answer is not a 200 with a Content-Length. */
  static async open(url: string, body: string, connections: number): Promise<SteadyCaller> {
    const { hostname, port, pathname, host } = new URL(url);
    const head = `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n`;
    const caller = new SteadyCaller(Buffer.from(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`));
    for (let i = 0; i < connections; i++) await caller.#connect(Number(port), hostname);
    await caller.#learn();
    return caller;
  }

  /** Milliseconds from each request's sending to the last byte of its answer. Rejects on an answer that is not a 200. */
  during(ms: number, requestsPerSecond: number): Promise<readonly number[]> {
    this.#latencies = [];
    const begin = performance.now();
    let sent = 0;
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        const elapsed = performance.now() - begin;
        const due = Math.min((Math.min(elapsed, ms) * requestsPerSecond) / 1000, sent + this.#idle.length);
        for (; sent < due; sent++) this.#send();
        if (this.#fault) reject(this.#fault);
        else if (elapsed >= ms && this.#idle.length === this.#all.length) resolve(this.#latencies);
        else setImmediate(turn);
      };
      turn();
    });
  }

  close(): void {
    for (const { socket } of this.#all) socket.destroy();
  }

  async #connect(port: number, host: string): Promise<void> {
    const socket = connect({ port, host, noDelay: true });
    await once(socket, 'connect');
    const line: Line = { socket, sentAt: 0, left: 0 };
    socket.on('error', (error) => (this.#fault = error));
    this.#all.push(line);
    this.#idle.push(line);
  }

  /** The first answer of each connection, whose length all others have. */
  async #learn(): Promise<void> {
    for (const { socket } of this.#all) {
      socket.write(this.#request);
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      const text = chunk.toString('latin1');
      const length = /^HTTP\/1\.1 200 .*?\r\ncontent-length: (\d+)\r\n/is.exec(text)?.[1];
      const end = text.indexOf('\r\n\r\n') + 4;
      if (length === undefined || chunk.length < end + Number(length))
        throw new Error(`answered ${text.slice(0, 200)}`);
      this.#answerBytes = end + Number(length);
    }
    for (const line of this.#all) line.socket.on('data', (chunk) => this.#take(line, chunk));
  }

  #send(): void {
    const line = this.#idle.pop() as Line;
    line.left = this.#answerBytes;
    line.sentAt = performance.now();
    line.socket.write(this.#request);
  }

  #take(line: Line, chunk: Buffer): void {
    if (line.left === this.#answerBytes && chunk.toString('latin1', 0, 12) !== 'HTTP/1.1 200') {
      this.#fault = new Error(`answered ${chunk.toString('latin1', 0, 200)}`);
    }
    line.left -= chunk.length;
    if (line.left > 0) return;
    this.#latencies.push(performance.now() - line.sentAt);
    this.#idle.push(line);
  }
}
