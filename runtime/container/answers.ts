import type { ServerResponse } from 'node:http';

/** Answers with text. Length is set, so that the connection can be kept. */
export function answerText(response: ServerResponse, status: number, text: string, type = 'text/plain'): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

export const answerJson = (response: ServerResponse, status: number, body: unknown): void =>
  answerText(response, status, JSON.stringify(body), 'application/json');

/** Every refusal of every port: {"error": "<one sentence>"}. */
export const answerError = (response: ServerResponse, status: number, sentence: string): void =>
  answerJson(response, status, { error: sentence });
