import { type BadRequest, INFER, refuseEach } from './testing/refusals.ts';
import { post } from './testing/socket.ts';

const LENGTH = 'inference-header-content-length';
const MOST = 4096;

const inputs = (x: object = {}, n: object = {}) => [
  { name: 'x', datatype: 'FP32', shape: [1, 2], parameters: { binary_data_size: 8 }, ...x },
  { name: 'n', datatype: 'INT8', shape: [1, 1], parameters: { binary_data_size: 1 }, ...n },
];

const TENSORS = Buffer.concat([Buffer.from(Float32Array.of(1.5, 2).buffer), Buffer.from([3])]);

/** A binary request with its header length, and how it is changed. */
function binary(changes: { json?: object | string; tensors?: Uint8Array; length?: string | undefined; path?: string }) {
  const { json = { inputs: inputs() }, tensors = TENSORS, path = INFER } = changes;
  const text = typeof json === 'string' ? json : JSON.stringify(json);
  const length = 'length' in changes ? changes.length : String(Buffer.byteLength(text));
  return post(path, Buffer.concat([Buffer.from(text), tensors]), length === undefined ? {} : { [LENGTH]: length });
}

const refused = (what: string, send: Uint8Array, error: RegExp): BadRequest => ({
  what,
  send,
  status: 400,
  error,
  counted: 'clientError',
});

const refusedLength = (what: string, length: string): BadRequest =>
  refused(what, binary({ length }), /^Header inference-header-content-length must be the number of bytes of the JSON/);

refuseEach(
  [
    refusedLength('a negative header length', '-1'),
    refusedLength('a header length in words', 'all of it'),
    refusedLength('a fractional header length', '1.5'),
    refusedLength('a hexadecimal header length', '0x10'),
    refusedLength('a header length with a sign', '+10'),
    refusedLength('a header length of twenty digits', '9'.repeat(20)),
    refusedLength('an empty header length', ''),
    refused('a header length beyond the body', binary({ length: '4000' }), /4000/),
    refused(
      'a header length one too short',
      binary({ length: String(JSON.stringify({ inputs: inputs() }).length - 1) }),
      /JSON/,
    ),
    refused(
      'a header length one too long',
      binary({ length: String(JSON.stringify({ inputs: inputs() }).length + 1) }),
      /\S/,
    ),
    refused('a header length that is missing', binary({ length: undefined }), /\S/),
    refused('a header length of 0 for a model of two inputs', binary({ length: '0' }), /carries one tensor/),
    refused('a tensor cut short', binary({ tensors: TENSORS.subarray(0, 7) }), /\S/),
    refused('no tensor behind the header', binary({ tensors: Buffer.alloc(0) }), /\S/),
    refused('bytes left over', binary({ tensors: Buffer.concat([TENSORS, TENSORS]) }), /\S/),
    refused(
      'a size that is not that of the shape',
      binary({
        json: { inputs: inputs({ parameters: { binary_data_size: 7 } }, { parameters: { binary_data_size: 2 } }) },
      }),
      /\S/,
    ),
    refused(
      'a size below zero',
      binary({ json: { inputs: inputs({ parameters: { binary_data_size: -8 } }) } }),
      /binary_data_size/,
    ),
    refused(
      'a size that is text',
      binary({ json: { inputs: inputs({ parameters: { binary_data_size: '8' } }) } }),
      /binary_data_size/,
    ),
    refused(
      'a size beyond all bodies',
      binary({ json: { inputs: inputs({ parameters: { binary_data_size: 2 ** 60 } }) } }),
      /\S/,
    ),
    refused('data and bytes for one tensor', binary({ json: { inputs: inputs({ data: [1, 2] }) } }), /\S/),
    refused('a shape that orders memory', binary({ json: { inputs: inputs({ shape: [2 ** 40, 2] }) } }), /\S/),
    refused('a header that is no JSON', binary({ json: 'x' }), /JSON/),
    refused(
      'binary outputs that are no truth value',
      binary({ json: { inputs: inputs(), parameters: { binary_data_output: 'yes' } } }),
      /binary_data_output/,
    ),
  ],
  { limits: { maxBodyBytes: MOST } },
);
