import { S3ServiceException } from '@aws-sdk/client-s3';
import { Failure, sentenceOf } from '../../failure.ts';

const REFUSED = new Set([
  'AccessDenied',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'InvalidToken',
  'AuthorizationHeaderMalformed',
]);
const FULL = new Set(['QuotaExceeded', 'XMinioStorageFull', 'InsufficientStorage', 'EntityTooLarge']);
const FORBIDDEN = [401, 403];

const statusOf = (error: S3ServiceException): number => error.$metadata.httpStatusCode ?? 0;

/** Whether what was asked for is not there. */
export const isMissing = (error: unknown): boolean =>
  error instanceof S3ServiceException &&
  error.name !== 'NoSuchBucket' &&
  (statusOf(error) === 404 || ['NoSuchKey', 'NotFound', 'NoSuchUpload'].includes(error.name));

/** Whether somebody else made the object first. */
export const isTaken = (error: unknown): boolean =>
  error instanceof S3ServiceException && ([409, 412].includes(statusOf(error)) || error.name === 'PreconditionFailed');

/** What a server said, as a cause that a person can act on. `where` is the uri. */
export function s3Failure(where: string, cause: unknown): Failure {
  if (cause instanceof Failure) return cause;
  if (!(cause instanceof S3ServiceException)) {
    return new Failure('StoreUnavailable', `${where} cannot be reached: ${sentenceOf(cause)}.`, { cause });
  }
  const said = `${cause.name}${cause.message ? `, ${sentenceOf(cause)}` : ''}`.replace(/\.$/, '');
  if (REFUSED.has(cause.name) || FORBIDDEN.includes(statusOf(cause))) {
    return new Failure('CredentialsRefused', `The server of ${where} refuses the credentials of its Secret: ${said}.`, {
      cause,
    });
  }
  if (statusOf(cause) === 416) {
    return new Failure('DigestMismatch', `${where} is shorter than its manifest says: it was cut short.`, { cause });
  }
  if (FULL.has(cause.name) || statusOf(cause) === 507) {
    return new Failure('StoreFull', `The server of ${where} takes no more: ${said}.`, { cause });
  }
  return new Failure('StoreUnavailable', `The server of ${where} answers ${statusOf(cause)}: ${said}.`, { cause });
}
