import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test, vi } from 'vitest';
import { startProbe } from './probe.ts';

/** What a server under fault does with a request. */
const FAULTS: Readonly<Record<string, RequestListener>> = {
  'resets connections': ({ socket }) => void socket.destroy(),
  'resets them after its answer': ({ socket }, response) => response.end('x', () => void socket.destroy()),
  'dies in mid-answer': ({ socket }, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('x', () => void socket.destroy());
  },
};

test.each(Object.entries(FAULTS))(
  'a probe of a server that %s keeps every answer and ends without an error',
  async (_, fault) => {
    const server = createServer(fault).listen(0);
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const probe = startProbe({ url, host: 'h', model: 'm', rows: [{ body: '{}', label: 1 }], perSecond: 2000 });
    await vi.waitFor(() => expect(probe.answers.length).toBeGreaterThan(3), { timeout: 10_000 });
    const stopped = probe.stop();
    server.closeAllConnections();
    await stopped;
    await probe.stop();
    const { length } = probe.answers;
    expect(probe.answers.filter(({ sound }) => sound)).toEqual([]);
    await once(server.close(), 'close');
    expect(probe.answers).toHaveLength(length);
  },
);
