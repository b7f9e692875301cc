import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EVIDENCE_MAX_BYTES } from '@slipway/crds/contract';
import { afterEach, describe, expect, test } from 'vitest';
import { after, pod, trainingJob } from '../../../test/trainingBuilders.ts';
import type { Client } from '../../kube/client.ts';
import { fetchText } from './fetchText.ts';
import { ProgressReader } from './progressReader.ts';

const forever = new AbortController().signal;

describe('the progress of a run', () => {
  const tj = trainingJob();
  const at = (ip: string) => pod({ podIP: ip });

  /** A reader whose Secret and agent answer from plain values, and which writes down what was asked. */
  function reader(answer: string | undefined, log?: string | Error) {
    const asked: string[] = [];
    const logReads: unknown[] = [];
    const podLog = async (...about: readonly unknown[]) => {
      logReads.push(about);
      if (log instanceof Error) throw log;
      return log;
    };
    const secretReads: string[] = [];
    const get = async (_resource: unknown, { name }: { name: string }) => {
      secretReads.push(name);
      return { data: { token: Buffer.from('t').toString('base64') } };
    };
    let told = answer;
    const progress = new ProgressReader({ get, podLog } as unknown as Client, async (url, token) => {
      asked.push(`${token} ${url}`);
      return told;
    });
    const say = (text: string | undefined) => {
      told = text;
    };
    return { progress, asked, secretReads, logReads, say };
  }

  test('is asked of pod 0 on the admin port, with the token of the job', async () => {
    const { progress, asked, secretReads } = reader('{"step":3}');
    expect(await progress.read(tj, at('10.0.0.7'), after(0), forever)).toEqual({ step: 3 });
    expect(asked).toEqual(['t http://10.0.0.7:9090/slipway/v1/progress']);
    expect(secretReads).toEqual(['nightly-training-admin']);
  });

  test('an IPv6 address is put in brackets', async () => {
    const { progress, asked } = reader('{"step":3}');
    await progress.read(tj, at('fd00::7'), after(0), forever);
    expect(asked).toEqual(['t http://[fd00::7]:9090/slipway/v1/progress']);
  });

  test('is asked for every five seconds however often the job is looked at, and its Secret once', async () => {
    const { progress, asked, secretReads } = reader('{"step":3}');
    for (const seconds of [0, 1, 2, 4, 5, 6, 10]) await progress.read(tj, at('10.0.0.7'), after(seconds), forever);
    expect(asked).toHaveLength(3);
    expect(secretReads).toHaveLength(1);
  });

  test('a namesake made later has a token of its own', async () => {
    const { progress, secretReads } = reader('{"step":3}');
    await progress.read(tj, at('10.0.0.7'), after(0), forever);
    const later = { ...tj, metadata: { ...tj.metadata, uid: 'another' } };
    await progress.read(later, at('10.0.0.7'), after(1), forever);
    expect(secretReads).toHaveLength(2);
  });

  test('katib#1033: is read from the end of the log when the agent heard nothing for half a minute', async () => {
    const { progress, logReads } = reader(undefined, 'step=4 loss=0.5');
    expect(await progress.read(tj, at('10.0.0.7'), after(29), forever)).toBeUndefined();
    expect(logReads).toEqual([]);
    expect(await progress.read(tj, at('10.0.0.7'), after(35), forever)).toEqual({
      step: 4,
      metrics: { loss: 0.5 },
      source: 'Log',
    });
    expect(logReads).toMatchObject([
      [
        { namespace: 'ml', name: 'nightly-a0-0' },
        { container: 'train', tailLines: 100, limitBytes: 32_768 },
      ],
    ]);
  });

  test('is never read from the log of a trainer that once told its agent', async () => {
    const { progress, logReads, say } = reader('{"step":3,"source":"File"}', 'step=4');
    await progress.read(tj, at('10.0.0.7'), after(0), forever);
    say(undefined);
    expect(await progress.read(tj, at('10.0.0.7'), after(60), forever)).toBeUndefined();
    expect(logReads).toEqual([]);
  });

  test('a log is looked at twice a minute and no more', async () => {
    const { progress, logReads } = reader(undefined, 'step=4');
    for (let seconds = 30; seconds <= 120; seconds += 5)
      await progress.read(tj, at('10.0.0.7'), after(seconds), forever);
    expect(logReads).toHaveLength(4);
  });

  test('a log that may not be read is no error, and is left alone for five minutes', async () => {
    const { progress, logReads } = reader(undefined, new Error('pods/log is forbidden'));
    for (const seconds of [60, 120, 355, 362])
      expect(await progress.read(tj, at('10.0.0.7'), after(seconds), forever)).toBeUndefined();
    expect(logReads).toHaveLength(2);
  });

  test('no answer, or one that is none, is no progress', async () => {
    for (const answer of [undefined, 'oops', '{"step":-1}']) {
      expect(await reader(answer).progress.read(tj, at('10.0.0.7'), after(0), forever)).toBeUndefined();
    }
  });
});

describe('fetching a text', () => {
  let server: Server | undefined;
  afterEach(() => new Promise<unknown>((resolve) => (server === undefined ? resolve(0) : server.close(resolve))));

  const serve = async (status: number, body: string): Promise<{ url: string; headers: () => string | undefined }> => {
    let authorization: string | undefined;
    const made = createServer((request, response) => {
      authorization = request.headers.authorization;
      response.writeHead(status).end(body);
    });
    server = made;
    await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(made.address() as AddressInfo).port}/`, headers: () => authorization };
  };

  test('sends the bearer token and returns a 200', async () => {
    const { url, headers } = await serve(200, '{"step":1}');
    expect(await fetchText(url, 'secret', forever)).toBe('{"step":1}');
    expect(headers()).toBe('Bearer secret');
  });

  test('anything but a 200 is nothing', async () => {
    const { url } = await serve(404, 'no progress yet');
    expect(await fetchText(url, 't', forever)).toBeUndefined();
  });

  test('a pod that talks without end is cut off', async () => {
    const { url } = await serve(200, 'x'.repeat(EVIDENCE_MAX_BYTES + 1));
    expect(await fetchText(url, 't', forever)).toBeUndefined();
  });

  test('a pod that is gone is nothing, not an error', async () => {
    expect(await fetchText('http://127.0.0.1:1/', 't', forever)).toBeUndefined();
  });
});
