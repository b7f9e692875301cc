import { basename } from 'node:path';
import { Failure, sentenceOf } from '../../artifact/failure.ts';

/** The clause in an engine message: without status codes, paths, C++ signatures and the full stop. */
export const plain = (error: unknown): string =>
  sentenceOf(error)
    .replace(/^.*Status Message: /, '')
    .replace(/^Load model from \S+ failed:\s*/, '')
    .replace(/^Exception during initialization:\s*/, '')
    .replace(/^\[ONNXRuntimeError\] : \d+ : \w+ : /, '')
    .replace(/^\S*\/onnxruntime\/\S+:\d+ .*?\)(?: const)?(?: \[with [^\]]+\])? /, '')
    .replace(/\.$/, '');

export interface ModelFile {
  readonly path: string;
  /** Of ONNX Runtime. */
  readonly version: string;
}

/** What ONNX Runtime says, by a pattern, and what a person can do about it; $1… are what the pattern caught. */
const KNOWN: readonly (readonly [RegExp, string])[] = [
  [
    /Protobuf parsing failed|does not have a graph|ModelProto/,
    'it is not an ONNX model or was cut off; export it again',
  ],
  [
    /Opset (\d+) is under development.*domain (\S+) is till opset (\d+)/,
    'it uses opset $1, and $v knows opsets up to $3; export it with opset_version=$3 or lower',
  ],
  [
    /External data path does not exist: "(?:[^"]*\/)?([^"/]+)"/,
    'its weights file $1 is missing; put it beside the model',
  ],
  [/External initializer: .* are out of bounds/, 'a weights file beside it was cut off; copy it again'],
  [/Unsupported data type: \d+/, 'it has a datatype that the node backend does not serve; write "backend": "ffi"'],
  [/No Op registered for (\S+) with domain_version of (\d+)/, 'operator $1 of opset $2 is not known to $v'],
  [/Fatal error: (\S+) is not a registered function/, 'operator $1 is not known to $v'],
  [
    /Unsupported model IR version: (\d+), max supported IR version: (\d+)/,
    'it has IR version $1, and $v reads up to $2',
  ],
];

/** A failure to load a model, as a sentence for its owner. */
export function invalidModel(error: unknown, file?: ModelFile): Failure {
  if (error instanceof Failure) return error;
  const message = sentenceOf(error);
  const runtime = `ONNX Runtime ${file?.version ?? ''}`.trim();
  let clause = plain(error);
  for (const [pattern, known] of KNOWN) {
    const caught = pattern.exec(message);
    if (!caught) continue;
    clause = known.replace(/\$(\d)/g, (_, group) => caught[Number(group)] ?? '').replace('$v', runtime);
    break;
  }
  return new Failure('ModelInvalid', `${file ? basename(file.path) : 'The model'} cannot be loaded: ${clause}.`);
}
