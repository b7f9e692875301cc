import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CloudEvent } from '../cloudEvent.ts';

export interface Posted {
  readonly contentType: string | undefined;
  readonly event: CloudEvent;
}

/** A real sink on loopback. `answers` are used up in order; after them everything is taken. */
export class LoopbackSink {
  readonly posted: Posted[] = [];
  readonly taken: CloudEvent[] = [];
  readonly answers: { readonly status: number; readonly headers?: Readonly<Record<string, string>> }[] = [];
  /** While true every connection is closed without an answer. */
  down = false;
  /** While true requests are taken and never answered. */
  silent = false;
  readonly #server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    if (this.down) return void request.socket.destroy();
    const event = JSON.parse(text) as CloudEvent;
    this.posted.push({ contentType: request.headers['content-type'], event });
    if (this.silent) return;
    const { status, headers } = this.answers.shift() ?? { status: 202 };
    if (status < 300) this.taken.push(event);
    response.writeHead(status, headers).end();
  });

  static async open(): Promise<LoopbackSink> {
    const sink = new LoopbackSink();
    sink.#server.listen(0, '127.0.0.1');
    await once(sink.#server, 'listening');
    return sink;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/secret-path`;
  }

  get types(): readonly string[] {
    return this.taken.map(({ type }) => type.slice('dev.slipway.'.length));
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
