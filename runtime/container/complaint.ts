import type * as z from 'zod';

/** The first fault of a document in one line: "epoch: Invalid input: expected number, received string". */
export function complaintOf(error: z.ZodError): string {
  const first = error.issues[0];
  const path = first?.path.join('.') ?? '';
  return path === '' ? `${first?.message}` : `${path}: ${first?.message}`;
}
