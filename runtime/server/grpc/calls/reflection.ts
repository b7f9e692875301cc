import type { Root } from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor.js';
import { decode, encode, type Plain, PROTOS, type ProtoFile, rootOf } from '../proto/codec.ts';
import { Rpc, writable } from '../rpc.ts';
import { CODE, type RpcFault } from '../status.ts';

interface DescribedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Full names of its services. */
  readonly services: readonly string[];
  /** Full names of all that it defines. */
  readonly symbols: ReadonlySet<string>;
}

interface DescriptorMessage {
  readonly name?: string;
  readonly messageType?: readonly DescriptorMessage[];
  readonly nestedType?: readonly DescriptorMessage[];
  readonly enumType?: readonly DescriptorMessage[];
  readonly service?: readonly DescriptorMessage[];
  readonly method?: readonly DescriptorMessage[];
  readonly package?: string;
}

let files: readonly DescribedFile[] | undefined;

/** Made when the first caller asks, which most servers never see. */
const describedFiles = (): readonly DescribedFile[] =>
  (files ??= (Object.keys(PROTOS) as ProtoFile[]).map((name) => describe(name)));

function describe(name: ProtoFile): DescribedFile {
  // The method comes with the import of the extension, which says so of Root alone.
  const root = rootOf(name).resolveAll() as Root;
  const { file: made } = root.toDescriptor('proto3') as unknown as { file: readonly DescriptorMessage[] };
  const file = made[0] as DescriptorMessage;
  Object.assign(file, { name });
  const prefix = `${file.package}.`;
  const services = (file.service ?? []).map((service) => prefix + service.name);
  const symbols = new Set<string>();
  addSymbols(file, prefix, symbols);
  return { name, bytes: descriptor.FileDescriptorProto.encode(file as object).finish(), services, symbols };
}

function addSymbols(parent: DescriptorMessage, prefix: string, symbols: Set<string>): void {
  const { messageType = [], nestedType = [], enumType = [], service = [], method = [] } = parent;
  for (const child of [...messageType, ...nestedType, ...enumType, ...service, ...method]) {
    symbols.add(prefix + child.name);
    addSymbols(child, `${prefix}${child.name}.`, symbols);
  }
}

/** Server reflection, by either of its versions: what tools like grpcurl ask to know the messages. */
export class ReflectionCall extends Rpc {
  protected message(bytes: Buffer, start: number, end: number): void {
    const service = this.head.path.slice(1, this.head.path.lastIndexOf('.'));
    const request = decode(`${service}.ServerReflectionRequest`, bytes.subarray(start, end));
    const response = { valid_host: request['host'] ?? '', original_request: request, ...answerTo(request) };
    this.sendMessage(writable(encode(`${service}.ServerReflectionResponse`, response)));
  }

  protected inputEnded(): void {
    this.finish();
  }

  protected override get owesMessage(): boolean {
    return false;
  }

  override drain(): void {
    this.finish();
  }

  protected ended(_fault: RpcFault): void {}
}

function answerTo(request: Plain): Plain {
  const filename = request['file_by_filename'];
  if (typeof filename === 'string') return fileWhere((file) => file.name === filename, filename);
  const symbol = request['file_containing_symbol'];
  if (typeof symbol === 'string') return fileWhere(({ symbols }) => symbols.has(symbol), symbol);
  const extended = request['all_extension_numbers_of_type'];
  if (typeof extended === 'string') return { all_extension_numbers_response: { base_type_name: extended } };
  if (request['list_services'] === undefined) return refusal('this question');
  const service = describedFiles().flatMap(({ services }) => services.map((name) => ({ name })));
  return { list_services_response: { service } };
}

function fileWhere(matches: (file: DescribedFile) => boolean, wanted: string): Plain {
  const file = describedFiles().find(matches);
  return file ? { file_descriptor_response: { file_descriptor_proto: [file.bytes] } } : refusal(wanted);
}

const refusal = (wanted: string): Plain => ({
  error_response: { error_code: CODE.notFound, error_message: `There is no ${wanted.slice(0, 200)} here.` },
});
