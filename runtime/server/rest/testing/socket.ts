import { connect, type Socket } from 'node:net';

/** One answer, read off a bare socket. */
export interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The sentence of an error, or undefined. */
  readonly error: string | undefined;
  /** Whatever came behind it. */
  readonly rest: Buffer;
}

type Headers = Readonly<Record<string, string>>;

const head = (line: string, headers: Headers): string =>
  `${[line, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)].join('\r\n')}\r\n\r\n`;

/** The bytes of a request, with a Content-Length that is right unless `headers` say otherwise. */
export function requestOf(method: string, path: string, body: string | Uint8Array = '', headers: Headers = {}): Buffer {
  const bytes = Buffer.from(body);
  const length: Headers = bytes.length > 0 || method === 'POST' ? { 'content-length': String(bytes.length) } : {};
  return Buffer.concat([
    Buffer.from(head(`${method} ${path} HTTP/1.1`, { host: 'test', ...length, ...headers })),
    bytes,
  ]);
}

export const post = (path: string, body: unknown = '', headers: Headers = {}): Buffer =>
  requestOf(
    'POST',
    path,
    typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
    headers,
  );

export const get = (path: string, headers: Headers = {}): Buffer => requestOf('GET', path, '', headers);

/** The first whole answer in these bytes, or undefined. */
export function answerIn(bytes: Buffer): Received | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [line = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = Object.fromEntries(
    lines.map((text) => [text.slice(0, text.indexOf(':')).toLowerCase(), text.slice(text.indexOf(':') + 1).trim()]),
  );
  const length = Number(headers['content-length'] ?? 0);
  const body = bytes.subarray(end + 4, end + 4 + length);
  if (body.length < length) return undefined;
  const status = Number(line.split(' ')[1]);
  return { status, headers, body, error: errorOf(status, body), rest: bytes.subarray(end + 4 + length) };
}

function errorOf(status: number, body: Buffer): string | undefined {
  return status < 400 || body.length === 0 ? undefined : JSON.parse(body.toString('utf8')).error;
}

/**
 * Sends bytes over a connection of their own and resolves with the first answer. A function sends as it likes. Rejects
 * when the connection ends without an answer.
 */
export const exchange = async (port: number, bytes: Uint8Array | ((socket: Socket) => void)): Promise<Received> =>
  (await exchangeAll(port, bytes, 1))[0] as Received;

/** The same for so many answers. 100 Continue is none. */
export function exchangeAll(
  port: number,
  bytes: Uint8Array | ((socket: Socket) => void),
  count: number,
): Promise<readonly Received[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const answers: Received[] = [];
    let received: Buffer = Buffer.alloc(0);
    socket.on('connect', () => (typeof bytes === 'function' ? bytes(socket) : socket.write(bytes)));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      for (let answer = answerIn(received); answer; answer = answerIn(received)) {
        received = answer.rest;
        if (answer.status !== 100) answers.push(answer);
      }
      if (answers.length < count) return;
      resolve(answers);
      socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`closed after ${answers.length} answers and ${received.length} bytes`)));
  });
}
