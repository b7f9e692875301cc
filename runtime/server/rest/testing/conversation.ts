import type { Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';

/** Turns of the event loop in which everything that needs no waiting has happened. */
const TURNS = 5;

export type Talk = (pieces: readonly Uint8Array[]) => Promise<string>;

/**
 * Talks to a server of this process: says each piece when all is done that the ones before it could bring about, then
 * says no more. Resolves with every byte that came back, as latin1, once the connection has ended.
 */
export function talkTo(server: Server): Talk {
  const accepted = new Map<number, Socket>();
  server.prependListener('connection', (socket) => void accepted.set(socket.remotePort as number, socket));
  return async (pieces) => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const heard: Buffer[] = [];
    socket.on('data', (bytes) => heard.push(bytes));
    socket.on('error', () => undefined); // a reset is an end like others
    const ended = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    await new Promise<void>((resolve) => socket.on('connect', () => resolve()));
    const port = socket.localPort as number;
    while (!accepted.has(port)) await turn();
    await sayAll(pieces, socket, accepted.get(port) as Socket);
    accepted.delete(port);
    socket.end();
    await ended;
    return Buffer.concat(heard).toString('latin1');
  };
}

/** `there` is the server's end. */
async function sayAll(pieces: readonly Uint8Array[], here: Socket, there: Socket): Promise<void> {
  let said = 0;
  for (const piece of pieces) {
    if (here.destroyed || there.destroyed) return;
    here.write(piece);
    said += piece.length;
    while (there.bytesRead < said && !there.destroyed && !here.destroyed) await turn();
    for (let turns = 0; turns < TURNS; turns += 1) await turn();
  }
}
