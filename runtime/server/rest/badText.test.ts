import { type BadRequest, refuseEach } from './testing/refusals.ts';
import { post } from './testing/socket.ts';

const LENGTH = 'inference-header-content-length';

/** A BYTES tensor of these bytes. */
function text(bytes: Uint8Array, shape: readonly number[] = [1]): Uint8Array {
  const tensor = { name: 'text', datatype: 'BYTES', shape, parameters: { binary_data_size: bytes.length } };
  const json = JSON.stringify({ inputs: [tensor] });
  const body = Buffer.concat([Buffer.from(json), bytes]);
  return post('/v2/models/words/infer', body, { [LENGTH]: String(json.length) });
}

const element = (length: number, bytes: string | Uint8Array): Buffer => {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(length);
  return Buffer.concat([head, Buffer.from(bytes)]);
};

const refused = (what: string, send: Uint8Array, error: RegExp): BadRequest => ({
  what,
  send,
  status: 400,
  error,
  counted: 'clientError',
});

refuseEach([
  refused('a text without its length', text(Buffer.from([1, 2])), /\S/),
  refused('a text shorter than its length', text(element(10, 'short')), /\S/),
  refused('a text of four gigabytes, said to be', text(element(0xffff_ffff, 'x')), /\S/),
  refused('a text longer than its length', text(element(1, 'long')), /left over/),
  refused('one text for two', text(element(1, 'a'), [2]), /\S/),
  refused('a text that is not UTF-8', text(element(2, Uint8Array.of(0xc3, 0x28))), /UTF-8/),
  refused('half a surrogate', text(element(3, Uint8Array.of(0xed, 0xa0, 0x80))), /UTF-8/),
  refused(
    'a number among texts',
    post('/v2/models/words/infer', { inputs: [{ name: 'text', datatype: 'BYTES', shape: [2], data: ['a', 1] }] }),
    /BYTES|text/,
  ),
]);
