import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { readRaw, writeRaw } from '../../protocol/rawTensor.ts';
import { roomFor, sizeOf, type TensorValue } from '../../tensor.ts';

/** A real server on a port of its own. */
export interface TestServer {
  readonly url: string;
  close(): Promise<void>;
}

export async function listening(server: Server, sockets: Iterable<Socket> = []): Promise<TestServer> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async () => {
    if ('closeAllConnections' in server) (server as unknown as { closeAllConnections(): void }).closeAllConnections();
    for (const socket of sockets) socket.destroy();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  return { url, close };
}

/** Takes every connection and never says a word. */
export async function hangingServer(): Promise<TestServer & { readonly connections: () => number }> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.resume();
    socket.on('close', () => sockets.delete(socket));
  });
  return { ...(await listening(server, sockets)), connections: () => connections };
}

/** A port that nobody listens on. */
export async function refusingUrl(): Promise<string> {
  const { url, close } = await listening(createTcpServer());
  await close();
  return url;
}

export const httpServer = (listener: RequestListener): Promise<TestServer> => listening(createServer(listener));

export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export interface CandidateRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly inputs: readonly TensorValue[];
}

/** A candidate that reads a binary infer request and answers what `model` makes of it, in binary. */
export function candidateServer(model: (request: CandidateRequest) => readonly TensorValue[]): Promise<TestServer> {
  return httpServer(async (request, response) => {
    const body = await bodyOf(request);
    const jsonLength = Number(request.headers['inference-header-content-length']);
    const { inputs } = JSON.parse(body.subarray(0, jsonLength).toString());
    let at = jsonLength;
    const tensors = inputs.map(
      ({ name, datatype, shape, parameters }: TensorValue & { parameters: { binary_data_size: number } }) => {
        const tensor = { name, datatype, shape, elements: roomFor(datatype, sizeOf(shape)) };
        readRaw(body.subarray(at, at + parameters.binary_data_size), tensor);
        at += parameters.binary_data_size;
        return tensor;
      },
    );
    const { headers, url } = request;
    const { json, raw } = binary(model({ path: url ?? '', headers, inputs: tensors }));
    response.setHeader('inference-header-content-length', json.length);
    response.end(Buffer.concat([json, ...raw]));
  });
}

function binary(outputs: readonly TensorValue[]) {
  const raw = outputs.map(writeRaw);
  const header = {
    model_name: 'm',
    outputs: outputs.map(({ name, datatype, shape }, i) => ({
      name,
      datatype,
      shape,
      parameters: { binary_data_size: raw[i]?.byteLength },
    })),
  };
  return { json: Buffer.from(JSON.stringify(header)), raw };
}

/** An FP32 tensor of rows. */
export const rows = (name: string, values: readonly (readonly number[])[]): TensorValue => ({
  name,
  datatype: 'FP32',
  shape: [values.length, values[0]?.length ?? 0],
  elements: Float32Array.from(values.flat()),
});
