import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { getCACertificates } from 'node:tls';
import { S3Client } from '@aws-sdk/client-s3';
import { bothOrNone, type Credentials } from '../credentials.ts';

const SOCKETS = 16;
/** What an S3-compatible server takes for its only region, most of the time. */
const USUAL_REGION = 'us-east-1';
/** A server that says nothing for so long is gone. */
const SILENCE_MS = 30_000;
const TRIES = 5;

const agentOptions = { keepAlive: true, maxSockets: SOCKETS };

/**
 * Requests without a signature, for buckets that anybody may read. The credentials are never used, and must be there:
 * without any the client looks for some in the environment, in profiles and at the metadata service of the cloud.
 */
const UNSIGNED = {
  credentials: { accessKeyId: 'nobody', secretAccessKey: 'nobody' },
  signer: { sign: async <T>(request: T): Promise<T> => request },
};

const signed = (credentials: Credentials) => {
  const pair = bothOrNone(credentials, 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY');
  if (pair === undefined) return UNSIGNED;
  const sessionToken = credentials['AWS_SESSION_TOKEN'];
  return {
    credentials: {
      accessKeyId: pair[0],
      secretAccessKey: pair[1],
      ...(sessionToken === undefined ? {} : { sessionToken }),
    },
  };
};

/**
 * A client of the entries of a Secret alone: no environment, no profile file, no metadata service of a cloud. An endpoint
 * of one's own is addressed by path, as most such servers have no name for each bucket. Checksums are sent where the
 * server must have them: their trailers are what older servers fail on (aws/aws-sdk-js-v3#6810).
 */
export function s3Client(credentials: Credentials): S3Client {
  const endpoint = credentials['AWS_ENDPOINT_URL'];
  const bundle = credentials['AWS_CA_BUNDLE'];
  const ca = bundle === undefined ? {} : { ca: [...getCACertificates('default'), bundle] };
  return new S3Client({
    region: credentials['AWS_REGION'] ?? USUAL_REGION,
    maxAttempts: TRIES,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...signed(credentials),
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: 10_000,
      requestTimeout: SILENCE_MS,
      socketTimeout: SILENCE_MS,
      httpAgent: new HttpAgent(agentOptions),
      httpsAgent: new HttpsAgent({ ...agentOptions, ...ca }),
    },
  });
}
