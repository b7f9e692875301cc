/** The caller typed something that means nothing; the message is one sentence with what to type instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
