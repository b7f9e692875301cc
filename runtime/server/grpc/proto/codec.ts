import { parse, type Type } from 'protobufjs';
import { badRequest } from '../../requestError.ts';
import { INFERENCE_PROTO } from './inferenceProto.ts';
import { HEALTH_PROTO, reflectionProto } from './standardProtos.ts';

export type Plain = Readonly<Record<string, unknown>>;

/** The files as reflection tells of them. */
export const PROTOS = {
  'inference.proto': INFERENCE_PROTO,
  'grpc/health/v1/health.proto': HEALTH_PROTO,
  'grpc/reflection/v1/reflection.proto': reflectionProto('v1'),
  'grpc/reflection/v1alpha/reflection.proto': reflectionProto('v1alpha'),
} as const;
export type ProtoFile = keyof typeof PROTOS;

/** The parsed file by itself: parsing waits until somebody asks, for most servers answer ModelInfer alone. */
export const rootOf = (file: ProtoFile) => parse(PROTOS[file], { keepCase: true }).root;

const types = new Map<string, Type>();

/** Messages of all RPCs but ModelInfer, whose bytes are read and written by hand. `name` is the full name. */
function typeOf(name: string): Type {
  let type = types.get(name);
  if (!type) {
    const file = (Object.keys(PROTOS) as ProtoFile[]).find((key) => name.startsWith(packageOf(key)));
    type = rootOf(file as ProtoFile).lookupType(name);
    types.set(name, type);
  }
  return type;
}

const packageOf = (file: ProtoFile): string =>
  file === 'inference.proto' ? 'inference.' : `${file.slice(0, file.lastIndexOf('/')).replaceAll('/', '.')}.`;

/** The fields of a message; those that were not sent are absent. Throws RequestError 400. */
export function decode(name: string, bytes: Uint8Array): Plain {
  const type = typeOf(name);
  try {
    return type.toObject(type.decode(bytes), { longs: String, oneofs: true });
  } catch {
    throw badRequest(`The message is no ${name}: its bytes are not of that kind.`);
  }
}

export function encode(name: string, message: Plain): Uint8Array {
  const type = typeOf(name);
  return type.encode(type.fromObject(message)).finish();
}
