/** A request that gets no answer from the model: the status and the one sentence that go back. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, sentence: string, headers: Readonly<Record<string, string>> = {}) {
    super(sentence);
    this.status = status;
    this.headers = headers;
  }
}

/** The caller's fault; the sentence says what to send instead. */
export const badRequest = (sentence: string): RequestError => new RequestError(400, sentence);

/** "a", "b" and "c" for a sentence. */
export const listed = (names: readonly string[]): string =>
  names
    .map((name) => `"${name}"`)
    .join(', ')
    .replace(/, ([^,]*)$/, ' and $1');
