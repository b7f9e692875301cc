import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** What a run of requests came to. */
export interface LoadResult {
  readonly answered: number;
  /** Status lines other than 200, with how often they came. */
  readonly others: ReadonlyMap<string, number>;
}

/**
 * Sends the same request `count` times over each of `connections` kept-alive connections, each with one under way. Its own
 * few lines of HTTP cost a tenth of a client's work, so that a million requests take minutes and not an hour.
 */
export async function load(
  port: number,
  path: string,
  body: string,
  connections: number,
  count: number,
): Promise<LoadResult> {
  const message = `POST ${path} HTTP/1.1\r\nhost: soak\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  const others = new Map<string, number>();
  const each = Math.ceil(count / connections);
  const answered = await Promise.all(Array.from({ length: connections }, () => converse(port, message, each, others)));
  return { answered: answered.reduce((sum, n) => sum + n, 0), others };
}

async function converse(port: number, message: string, count: number, others: Map<string, number>): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  let answered = 0;
  for await (const statusLine of answersOn(socket, () => socket.write(message))) {
    if (statusLine !== 'HTTP/1.1 200 OK') others.set(statusLine, (others.get(statusLine) ?? 0) + 1);
    answered += 1;
    if (answered === count) break;
    socket.write(message);
  }
  socket.destroy();
  return answered;
}

/** Status lines of the answers, one after another; ends with the connection. Bodies must have a Content-Length. */
async function* answersOn(socket: Socket, begin: () => void): AsyncGenerator<string> {
  let text = '';
  begin();
  for await (const chunk of socket) {
    text += (chunk as Buffer).toString('latin1');
    for (;;) {
      const head = text.indexOf('\r\n\r\n');
      if (head < 0) break;
      const length = Number(/content-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? 0);
      if (text.length < head + 4 + length) break;
      const statusLine = text.slice(0, text.indexOf('\r\n'));
      text = text.slice(head + 4 + length);
      yield statusLine;
    }
  }
}
