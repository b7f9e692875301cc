import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type Part,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { ManifestEntry } from '@slipway/crds';
import { Failure } from '../../failure.ts';
import { isMissing } from './s3Failure.ts';
import { type S3Place, SHA256_METADATA } from './s3Place.ts';

const MIB = 1024 * 1024;
/** The least that a part may have is 5 MiB, the most parts 10,000. */
const PART = 8 * MIB;
const MOST_PARTS = 10_000;
/** Parts of a file on their way at a time, each a buffer: with four files at once no more than a small pod has room for. */
const WIDTH = 3;

export interface Upload {
  readonly client: S3Client;
  readonly place: S3Place;
  readonly from: string;
  /** What the file held when it was hashed: it may not have changed since. */
  readonly entry: ManifestEntry;
  readonly seen: (bytes: number) => void;
  /** The id of an unfinished upload of the same content, which is gone on with. */
  readonly unfinished: (key: string) => string | undefined;
  /** Whether the object is there, whole. */
  readonly isThere: () => Promise<boolean>;
}

const target = ({ place: { bucket, key } }: Upload) => ({ Bucket: bucket, Key: key });
const checksum = (bytes: Buffer): string => {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(crc32(bytes));
  return buffer.toString('base64');
};

/** How long the parts of a file of that size are. */
export const partSize = (size: number): number => Math.max(PART, Math.ceil(size / MOST_PARTS / MIB) * MIB);

/**
 * Uploads a file whose hash is known. It is hashed once more on its way: a file that changed in between is not completed.
 * A large one goes in parts, and what an upload that was cut off had sent already is not sent again. lib-storage does
 * parts too, and begins each upload anew. Throws Failure OutputInvalid for a file that changed.
 */
export async function uploadFile(upload: Upload): Promise<void> {
  const file = await open(upload.from, 'r');
  try {
    await (upload.entry.size <= PART ? putWhole(upload, file) : putParts(upload, file, await partsKept(upload)));
  } catch (error) {
    // Another publisher of the same content ended the upload that both went on with: it is there, or is sent anew.
    if (!isMissing(error) || (await upload.isThere())) return rethrowUnless(isMissing(error), error);
    await putParts(upload, file, { id: undefined, parts: new Map() });
  } finally {
    await file.close();
  }
}

async function putWhole(upload: Upload, file: FileHandle): Promise<void> {
  const body = Buffer.allocUnsafe(upload.entry.size);
  const length = await readFull(file, body, 0);
  refuseChanged(upload, createHash('sha256').update(body.subarray(0, length)).digest('hex'));
  await upload.client.send(
    new PutObjectCommand({
      ...target(upload),
      Body: body,
      ChecksumCRC32: checksum(body),
      Metadata: { [SHA256_METADATA]: upload.entry.sha256 },
    }),
  );
  upload.seen(length);
}

async function putParts(upload: Upload, file: FileHandle, kept: Kept): Promise<void> {
  const { client, entry } = upload;
  const UploadId = kept.id ?? (await begin(upload));
  const hash = createHash('sha256');
  const size = partSize(entry.size);
  const flights = new Set<Promise<void>>();
  // Used again and again: fresh ones of this size cost more time in the garbage collector than hashing what they hold.
  const free: Buffer[] = [];
  const parts: CompletedPart[] = [];
  const send = async (PartNumber: number, body: Buffer) => {
    const ChecksumCRC32 = checksum(body);
    const before = kept.parts.get(PartNumber);
    const isKept = before?.Size === body.length && before.ChecksumCRC32 === ChecksumCRC32;
    const { ETag } = isKept
      ? before
      : await client.send(
          new UploadPartCommand({ ...target(upload), UploadId, PartNumber, Body: body, ChecksumCRC32 }),
        );
    parts[PartNumber - 1] = { PartNumber, ETag, ChecksumCRC32 };
    upload.seen(body.length);
  };
  for (let at = 0, number = 1; at < entry.size; at += size, number++) {
    const buffer = free.pop() ?? Buffer.allocUnsafeSlow(size);
    const body = buffer.subarray(0, Math.min(size, entry.size - at));
    await readFull(file, body, at);
    hash.update(body);
    const flight = send(number, body).finally(() => {
      flights.delete(flight);
      free.push(buffer);
    });
    flights.add(flight);
    flight.catch(() => undefined);
    if (flights.size >= WIDTH) await Promise.race(flights);
  }
  await Promise.all(flights);
  refuseChanged(upload, hash.digest('hex'));
  await client.send(
    new CompleteMultipartUploadCommand({ ...target(upload), UploadId, MultipartUpload: { Parts: parts } }),
  );
}

function rethrowUnless(fine: boolean, error: unknown): void {
  if (!fine) throw error;
}

async function begin(upload: Upload): Promise<string | undefined> {
  const { UploadId } = await upload.client.send(
    new CreateMultipartUploadCommand({
      ...target(upload),
      ChecksumAlgorithm: 'CRC32',
      Metadata: { [SHA256_METADATA]: upload.entry.sha256 },
    }),
  );
  return UploadId;
}

interface Kept {
  readonly id: string | undefined;
  readonly parts: ReadonlyMap<number, Part>;
}

/** What an upload that was cut off left at the server. It cannot be listed there if it may not be: then nothing is kept. */
async function partsKept(upload: Upload): Promise<Kept> {
  const id = upload.unfinished(upload.place.key);
  const parts = new Map<number, Part>();
  if (id === undefined) return { id, parts };
  let PartNumberMarker: string | undefined;
  do {
    const page = await upload.client.send(
      new ListPartsCommand({
        ...target(upload),
        UploadId: id,
        ...(PartNumberMarker === undefined ? {} : { PartNumberMarker }),
      }),
    );
    for (const part of page.Parts ?? []) parts.set(part.PartNumber ?? 0, part);
    PartNumberMarker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
  } while (PartNumberMarker !== undefined);
  return { id, parts };
}

/** Uploads below a prefix that were begun and not ended, by key. A server that does not tell has none. */
export async function unfinishedUploads(
  client: S3Client,
  { bucket, key }: S3Place,
): Promise<ReadonlyMap<string, string>> {
  try {
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key }));
    return new Map(Uploads.map(({ Key = '', UploadId = '' }) => [Key, UploadId]));
  } catch {
    return new Map();
  }
}

async function readFull(file: FileHandle, buffer: Buffer, position: number): Promise<number> {
  let at = 0;
  while (at < buffer.length) {
    const { bytesRead } = await file.read(buffer, at, buffer.length - at, position + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return at;
}

function refuseChanged({ entry, from }: Upload, sha256: string): void {
  if (sha256 === entry.sha256) return;
  throw new Failure('OutputInvalid', `${from} changed while it was published: end the program that writes it first.`);
}
