import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../test/temporaryFolder.ts';
import { Certificate, type CertificatePair } from '../access/tls.ts';
import { mirror, openTestModel, type TestModel } from './testing/models.ts';
import { GOOD, INFER } from './testing/refusals.ts';
import { serving } from './testing/serving.ts';

let opened: TestModel;
let pairs: readonly CertificatePair[];
beforeAll(async () => {
  opened = await openTestModel(mirror);
  pairs = await Promise.all(['one', 'two'].map(certified));
  return () => opened.close();
});

async function certified(name: string): Promise<CertificatePair> {
  const folder = await temporaryFolder('tls');
  const [keyFile, certFile] = [join(folder, 'key'), join(folder, 'cert')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const files = ['-keyout', keyFile, '-out', certFile];
  const subject = ['-subj', `/CN=${name}`, '-days', '30'];
  await promisify(execFile)('openssl', ['req', '-x509', '-nodes', ...curve, ...files, ...subject]);
  return { cert: await readFile(certFile, 'utf8'), key: await readFile(keyFile, 'utf8') };
}

async function secured() {
  const certificate = new Certificate();
  certificate.replace(pairs[0] as CertificatePair);
  const port = await serving([opened.model], { certificate });
  const ask = async (agent?: Agent) => {
    const options = { port: port.port, host: '127.0.0.1', method: 'POST', path: INFER, rejectUnauthorized: false };
    const asked = request({ ...options, agent: agent ?? false });
    asked.end(JSON.stringify(GOOD));
    const [response] = await once(asked, 'response');
    const shown = response.socket.getPeerCertificate().subject?.CN;
    return { status: response.statusCode, shown, body: JSON.parse(await text(response)) };
  };
  return { ...port, certificate, ask };
}

test('questions are answered over TLS', async () => {
  const { ask } = await secured();
  expect(await ask()).toMatchObject({ status: 200, shown: 'one', body: { model_name: 'mirror' } });
});

test('a new certificate is shown to new connections, and disturbs none that is open', async () => {
  const { ask, certificate } = await secured();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  expect((await ask(agent)).status).toBe(200);
  certificate.replace(pairs[1] as CertificatePair);
  expect((await ask(agent)).status).toBe(200);
  expect((await ask()).shown).toBe('two');
});

test('plain text on the secure port is refused, and the port goes on', async () => {
  const { port, ask } = await secured();
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  socket.write('GET /v2 HTTP/1.1\r\nHost: t\r\n\r\n');
  await once(socket.resume(), 'close');
  expect((await ask()).status).toBe(200);
});
