import { CreateBucketCommand } from '@aws-sdk/client-s3';
import type { Credentials } from '../credentials.ts';
import { s3Client } from '../s3/client.ts';

/** Makes a bucket, which no store ever does by itself. */
export async function createBucket(credentials: Credentials, name: string): Promise<void> {
  const client = s3Client(credentials);
  await client.send(new CreateBucketCommand({ Bucket: name }));
  client.destroy();
}
