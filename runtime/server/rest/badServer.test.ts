import { createHash } from 'node:crypto';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe } from 'vitest';
import { accessBy } from '../access/access.ts';
import { KeyRing, parseKeys } from '../access/apiKeys.ts';
import { type BadRequest, GOOD, INFER, N, refuseEach, X } from './testing/refusals.ts';
import { get, post, requestOf } from './testing/socket.ts';

const at =
  (path: string, counted?: BadRequest['counted']) =>
  (what: string, body: unknown, error: RegExp | string, status = 400) => ({
    what,
    send: post(path, body),
    status,
    error,
    ...(counted ? { counted } : {}),
  });

/** A gzip stream ends with the sum and the length of what it holds, four bytes each. */
const withWrongSum = (stream: Buffer): Buffer => stream.fill(0, stream.length - 8);

describe('a body that is packed', () => {
  const MOST = 2000;
  const packed = (
    what: string,
    encoding: string,
    body: Uint8Array | string,
    status: number,
    error: RegExp,
  ): BadRequest => ({
    what,
    send: post(INFER, body, { 'content-encoding': encoding }),
    status,
    error,
    counted: 'clientError',
  });
  const json = JSON.stringify(GOOD);
  const bomb = Buffer.alloc(10_000_000, ' ');
  const large = /^The body may have 2000 bytes at most\.$/;
  const broken = (name: string) =>
    new RegExp(`^The body is not ${name}, though content-encoding says so, or it is cut short`);
  const unknown = /^Send the body as it is, or with content-encoding gzip, deflate or zstd\.$/;
  refuseEach(
    [
      packed('in a way that nobody knows', 'br', json, 415, unknown),
      packed('twice', 'gzip, gzip', gzipSync(gzipSync(json)), 415, unknown),
      packed('in no way at all, though it says gzip', 'gzip', json, 400, broken('gzip')),
      packed('in no way at all, though it says deflate', 'deflate', json, 400, broken('deflate')),
      packed('in no way at all, though it says zstd', 'zstd', json, 400, broken('zstd')),
      packed('by gzip and cut short', 'gzip', gzipSync(json).subarray(0, 40), 400, broken('gzip')),
      packed('by zstd and cut short', 'zstd', zstdCompressSync(json).subarray(0, 40), 400, broken('zstd')),
      packed('by gzip with a wrong sum', 'gzip', withWrongSum(gzipSync(json)), 400, broken('gzip')),
      packed(
        'by gzip, with garbage behind',
        'gzip',
        Buffer.concat([gzipSync(json), Buffer.from('xyz')]),
        400,
        broken('gzip'),
      ),
      packed('as a bomb of gzip', 'gzip', gzipSync(bomb).subarray(0, 1990), 413, large),
      packed('as a bomb of deflate', 'deflate', deflateSync(bomb).subarray(0, 1990), 413, large),
      packed('as a bomb of zstd', 'zstd', zstdCompressSync(bomb), 413, large),
      packed('by gzip and holds no JSON', 'gzip', gzipSync('hello'), 400, /JSON/),
    ],
    { limits: { maxBodyBytes: MOST } },
  );
});

describe('a body that is too large', () => {
  const most = { limits: { maxBodyBytes: 1000 } };
  const large = 'The body may have 1000 bytes at most.';
  const head = `POST ${INFER} HTTP/1.1\r\nHost: t\r\n`;
  const one = { status: 413, error: large, counted: 'clientError' as const };
  refuseEach(
    [
      { what: 'and says so', send: post(INFER, 'x'.repeat(1001)), ...one },
      { what: 'and says so before it comes', send: Buffer.from(`${head}Content-Length: 1001\r\n\r\n`), ...one },
      {
        what: 'and asks before it comes',
        send: Buffer.from(`${head}Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n`),
        ...one,
      },
      { what: 'by terabytes', send: Buffer.from(`${head}Content-Length: 9007199254740991\r\n\r\n`), ...one },
      {
        what: 'in chunks that do not say so',
        send: Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n${`64\r\n${'x'.repeat(100)}\r\n`.repeat(11)}`),
        ...one,
      },
      { what: 'for the repository', ...one, send: post('/v2/repository/index', 'x'.repeat(1001)), counted: undefined },
    ],
    most,
  );
});

describe('more than the settings allow', () => {
  const two = { ...X, shape: [2, 2], data: [1, 2, 3, 4] };
  const large = /^Input "x": shape \[2,2\] means 4 elements, at most 2 can be here\.$/;
  const refused = at(INFER, 'clientError');
  const binary = { ...X, shape: [2, 2], data: undefined, parameters: { binary_data_size: 16 } };
  const text = JSON.stringify({ inputs: [binary, N] });
  refuseEach(
    [
      refused('elements as JSON', { inputs: [two, { ...N, shape: [2, 1], data: [1, 2] }] }, large),
      {
        ...refused('elements as bytes', '', large),
        send: post(INFER, Buffer.concat([Buffer.from(text), Buffer.alloc(16)]), {
          'inference-header-content-length': String(text.length),
        }),
      },
      at('/v1/models/mirror:predict', 'clientError')(
        'elements of V1',
        {
          inputs: {
            x: [
              [1, 2],
              [3, 4],
            ],
            n: [[1], [2]],
          },
        },
        large,
      ),
      {
        what: 'bytes of headers',
        send: requestOf('GET', '/v2', '', { a: 'x'.repeat(500) }),
        status: 431,
        error: 'The header may have 400 bytes at most.',
      },
    ],
    { limits: { maxElements: 2, maxHeaderBytes: 400 } },
  );
});

describe('feedback', () => {
  const refused = at('/slipway/v1/feedback');
  refuseEach([
    refused('that is no JSON', 'x', /^The body is not JSON; send \{"id", "label"\} or a list of them\.$/),
    refused('that is empty', '', /^The body is not JSON/),
    refused('without an id', { label: 1, model: 'mirror' }, /^Send \{"id", "label"\}/),
    refused('without a label', { id: 'a', model: 'mirror' }, /^Send \{"id", "label"\}/),
    refused('with a label that is a list', { id: 'a', label: [1], model: 'mirror' }, /^Send \{"id", "label"\}/),
    refused('with more than is known', { id: 'a', label: 1, model: 'mirror', why: 'x' }, /^Send \{"id", "label"\}/),
    refused(
      'of which the model is not said',
      { id: 'a', label: 1 },
      'Say by "model" which one the label is for: "mirror" and "words".',
    ),
    refused('for a model that is not here', { id: 'a', label: 1, model: 'other' }, /^There is no model "other"/),
    refused('of which one line is wrong', [{ id: 'a', label: 1, model: 'mirror' }, 7], /^Send \{"id", "label"\}/),
  ]);
});

describe('the repository', () => {
  const closed =
    'Models are neither loaded nor unloaded by callers here; set "repository" to "Explicit" in the serving settings.';
  refuseEach([
    at('/v2/repository/models/mirror/load')('that callers may not load', {}, closed, 403),
    at('/v2/repository/models/mirror/unload')('that callers may not unload', {}, closed, 403),
    at('/v2/repository/index')('asked with a word', 'ready', /^The body is not JSON/),
    at('/v2/repository/index')('asked with a ready that is no truth value', { ready: 'yes' }, /"ready" is wrong/),
  ]);
});

describe('the repository, open', () => {
  const load = at('/v2/repository/models/mirror/load');
  const unload = at('/v2/repository/models/mirror/unload');
  refuseEach(
    [
      load(
        'asked for a configuration of the caller',
        { parameters: { config: '{}' } },
        /^Parameter "config" is not served/,
      ),
      load(
        'asked for files of the caller',
        { parameters: { 'file:1/model.onnx': 'AA==' } },
        /^Parameter "file:1\/model.onnx"/,
      ),
      load('asked with a list', [], /^Send an object with "parameters"/),
      unload('asked with a parameter of its own', { parameters: { force: true } }, /^Parameter "force" is not served/),
      at('/v2/repository/models/other/unload')(
        'asked for what is not there',
        {},
        'There is no model "other" to unload.',
        404,
      ),
    ],
    { repository: { controllable: true } },
  );
});

describe('V1', () => {
  const refused = at('/v1/models/mirror:predict', 'clientError');
  refuseEach([
    refused('without JSON', 'x', /JSON/),
    refused('without instances', {}, /"instances"/),
    refused('with instances and inputs', { instances: [], inputs: {} }, /"instances"/),
    refused('with no instance', { instances: [] }, /\S/),
    refused('with instances that are a number', { instances: 7 }, /\S/),
    refused('with instances that lack an input', { instances: [{ x: [1, 2] }] }, /\S/),
    refused('with instances of two forms', { instances: [{ x: [1, 2], n: [1] }, { x: [1, 2] }] }, /\S/),
    refused('with an unknown input', { instances: [{ x: [1, 2], n: [1], z: [1] }] }, /\S/),
    refused('with text for a number', { instances: [{ x: ['a', 2], n: [1] }] }, /\S/),
    refused('with ragged instances', { instances: [{ x: [1], n: [1] }] }, /\S/),
    {
      ...refused('with binary tensors', '', /V1 takes JSON alone/),
      send: post('/v1/models/mirror:predict', '{}', { 'inference-header-content-length': '2' }),
    },
  ]);
});

describe('rows by feature name', () => {
  refuseEach([
    at(INFER, 'clientError')('for a model without feature names', { rows: [{ a: 1 }] }, /\S/),
    at(INFER, 'clientError')('and inputs', { rows: [{}], inputs: [] }, /\S/),
  ]);
});

describe('a key', () => {
  const hash = createHash('sha256').update('good').digest('hex');
  const access = accessBy({ keys: new KeyRing(parseKeys(`web sha256:${hash}`)), rate: undefined, now: () => 0 });
  const refused = (what: string, headers: Readonly<Record<string, string>>): BadRequest => ({
    what,
    send: post(INFER, GOOD, headers),
    status: 401,
    error: 'Send an API key of this server as "Authorization: Bearer <key>".',
    headers: { 'www-authenticate': 'Bearer realm="slipway"' },
    counted: 'clientError',
  });
  const { counted: _, ...uncounted } = refused('', {});
  refuseEach(
    [
      refused('that is missing', {}),
      refused('that is wrong', { authorization: 'Bearer bad' }),
      refused('by another scheme', { authorization: 'Basic good' }),
      refused('that is empty', { authorization: '' }),
      refused('that is very long', { authorization: `Bearer ${'x'.repeat(10_000)}` }),
      { ...uncounted, what: 'missing for metadata', send: get('/v2/models/mirror') },
      { ...uncounted, what: 'missing for the list of models', send: get('/v2/models') },
      { ...uncounted, what: 'missing for the index', send: post('/v2/repository/index', {}) },
      { ...uncounted, what: 'missing for feedback', send: post('/slipway/v1/feedback', { id: 'a', label: 1 }) },
      { ...uncounted, what: 'missing for a model that is not here', send: post('/v2/models/other/infer', GOOD) },
    ],
    { access },
  );
});
