import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** One connection with at most one request under way. */
interface Line {
  readonly socket: Socket;
  sentAt: number;
  /** Which request of all this is, from 0. */
  number: number;
  /** Bytes of the answer that are still to come. */
  left: number;
}

/**
 * Asks one or several models at a steady rate, whether or not earlier answers are there, and keeps the latencies. Written on bare
 * sockets: a client that takes as long for a request as the server measures itself. Keeps a core busy meanwhile, for a
 * timer rings late by as much as an answer takes: what was due by then would go out in one burst, and be the slowest.
 */
export class SteadyCaller {
  readonly #requests: readonly Buffer[];
  readonly #idle: Line[] = [];
  readonly #all: Line[] = [];
  /** Bytes of an answer; equal for all, as every request is. */
  #answerBytes = 0;
  #latencies = new Float64Array();
  #answered = 0;
  #fault: Error | undefined;

  private constructor(requests: readonly Buffer[]) {
    this.#requests = requests;
  }

  /** All paths must answer with as many bytes. Throws where the first answer is not a 200 with a Content-Length. */
  static async open(
    server: string,
    paths: readonly string[],
    body: string,
    connections: number,
  ): Promise<SteadyCaller> {
    const { hostname, port, host } = new URL(server);
    const headers = `Host: ${host}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}`;
    const caller = new SteadyCaller(
      paths.map((path) => Buffer.from(`POST ${path} HTTP/1.1\r\n${headers}\r\n\r\n${body}`)),
    );
    for (let i = 0; i < connections; i++) await caller.#connect(Number(port), hostname);
    await caller.#learn();
    return caller;
  }

  /**
   * Milliseconds from each request's sending to the last byte of its answer, in the order of their sending; `turn` says
   * which path the n-th one asks. Rejects on an answer that is not a 200.
   */
  during(ms: number, requestsPerSecond: number, turn: (sent: number) => number = () => 0): Promise<Float64Array> {
    const total = Math.floor((ms * requestsPerSecond) / 1000);
    this.#latencies = new Float64Array(total);
    this.#answered = 0;
    const begin = performance.now();
    let sent = 0;
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const due = Math.floor(((performance.now() - begin) * requestsPerSecond) / 1000);
        const last = Math.min(due, total, sent + this.#idle.length);
        for (; sent < last; sent++) this.#send(sent, this.#requests[turn(sent)] as Buffer);
        if (this.#fault) reject(this.#fault);
        else if (this.#answered === total) resolve(this.#latencies);
        else setImmediate(look);
      };
      look();
    });
  }

  close(): void {
    for (const { socket } of this.#all) socket.destroy();
  }

  async #connect(port: number, host: string): Promise<void> {
    const socket = connect({ port, host, noDelay: true });
    await once(socket, 'connect');
    const line: Line = { socket, sentAt: 0, number: 0, left: 0 };
    socket.on('error', (error) => (this.#fault = error));
    this.#all.push(line);
    this.#idle.push(line);
  }

  /** The first answer of each connection, whose length all others have. */
  async #learn(): Promise<void> {
    for (const { socket } of this.#all) {
      socket.write(this.#requests[0] as Buffer);
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

  #send(number: number, request: Buffer): void {
    const line = this.#idle.pop() as Line;
    line.left = this.#answerBytes;
    line.number = number;
    line.sentAt = performance.now();
    line.socket.write(request);
  }

  #take(line: Line, chunk: Buffer): void {
    if (line.left === this.#answerBytes && chunk.toString('latin1', 0, 12) !== 'HTTP/1.1 200') {
      this.#fault = new Error(`answered ${chunk.toString('latin1', 0, 200)}`);
    }
    line.left -= chunk.length;
    if (line.left > 0) return;
    if (line.left < 0) this.#fault = new Error(`answered ${-line.left} bytes more than the first time`);
    this.#latencies[line.number] = performance.now() - line.sentAt;
    this.#answered++;
    this.#idle.push(line);
  }
}
