/** The parts of a metav1.Status that we read. */
export interface Status {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly { readonly reason?: string; readonly message?: string }[];
  };
}

export interface ApiErrorOptions extends ErrorOptions {
  readonly retryAfterMs?: number;
  /** True when the request cannot have reached the server, so that even a create may be sent again. */
  readonly unsent?: boolean;
}

/** An answer that is no success, or no answer at all (status 0, reason Unreachable). */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** metav1.StatusReason: NotFound, AlreadyExists, Conflict, Invalid, Forbidden, Expired, ... */
  readonly reason: string;
  readonly retryAfterMs: number | undefined;
  readonly unsent: boolean;

  constructor(status: number, reason: string, message: string, options: ApiErrorOptions = {}) {
    super(message, options);
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs;
    this.unsent = options.unsent ?? false;
  }
}

/** Reads the error out of a Status document (an answer's body, or the object of an ERROR line in a watch). */
export function fromStatus(status: Status, fallback: number, retryAfterSeconds?: number): ApiError {
  const seconds = retryAfterSeconds ?? status.details?.retryAfterSeconds;
  const code = status.code ?? fallback;
  const tooLarge = status.details?.causes?.some((c) => c.reason === 'ResourceVersionTooLarge') ?? false;
  const reason = tooLarge ? 'ResourceVersionTooLarge' : (status.reason ?? `HTTP${code}`);
  return new ApiError(code, reason, status.message ?? `the API server answered ${code}`, {
    ...(seconds === undefined ? {} : { retryAfterMs: seconds * 1000 }),
  });
}

const MAX_TEXT = 300;

/** Reads an error answer; proxies answer with text or HTML instead of a Status. */
export function fromAnswer(code: number, body: string, retryAfterSeconds?: number): ApiError {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null) return fromStatus(parsed as Status, code, retryAfterSeconds);
  } catch {
    // not JSON: the text is the message
  }
  return fromStatus({ message: `${code}: ${body.trim().slice(0, MAX_TEXT)}` }, code, retryAfterSeconds);
}

// Failures of these kinds happen while a connection is being made: nothing was sent yet.
const BEFORE_SENDING = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);

export function unreachable(cause: unknown): ApiError {
  const { message = String(cause), code = '' } = cause as { message?: string; code?: string };
  return new ApiError(0, 'Unreachable', `no answer from the API server: ${message || code}`, {
    cause,
    unsent: BEFORE_SENDING.has(code),
  });
}

const CLOSED = 'ConnectionClosed';
/** A call that the end of this process cut off, or that came after it: no other try can help. */
export const closed = (cause?: unknown): ApiError =>
  new ApiError(0, CLOSED, 'the connection to the API server was closed: this process is ending', { cause });

const has = (error: unknown, test: (e: ApiError) => boolean): boolean => error instanceof ApiError && test(error);

export const isClosed = (error: unknown): boolean => has(error, (e) => e.reason === CLOSED);
export const isNotFound = (error: unknown): boolean => has(error, (e) => e.status === 404);
export const isAlreadyExists = (error: unknown): boolean => has(error, (e) => e.reason === 'AlreadyExists');
/** Someone else wrote first, or a uid precondition did not hold. */
export const isConflict = (error: unknown): boolean =>
  has(error, (e) => e.status === 409 && e.reason !== 'AlreadyExists');
/** kube-apiserver answers an apply that does not fit the type with 500 and no reason: no trouble of its own. */
export const isMisfit = (error: unknown): boolean => has(error, (e) => e.reason === 'HTTP500');
/** The server will never take this object as it is: the message is worth showing to its author. */
export const isInvalid = (error: unknown): boolean =>
  has(error, (e) => e.status === 400 || e.status === 422) || isMisfit(error);
/** Not allowed: by RBAC, by a quota, or by an admission policy of somebody else's. */
export const isForbidden = (error: unknown): boolean => has(error, (e) => e.status === 403);
/** The resource version is too old, or (after a restore from a backup) newer than the server's own: list again. */
export const isExpired = (error: unknown): boolean =>
  has(error, (e) => e.status === 410 || e.reason === 'ResourceVersionTooLarge');
