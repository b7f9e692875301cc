import type * as z from 'zod';
import { badRequest } from '../requestError.ts';

/** The body as this schema has it. Throws RequestError 400 with the place and what it must be. */
export function jsonBody<T>(body: Buffer, schema: z.ZodType<T>, shape: string): T {
  const result = schema.safeParse(parsed(body, shape));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const place = issue?.path.join('.') ?? '';
  throw badRequest(`Send ${shape}${place === '' ? '' : `: "${place}" is wrong`} (${issue?.message ?? 'wrong'}).`);
}

function parsed(body: Buffer, shape: string): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw badRequest(`The body is not JSON; send ${shape}.`);
  }
}
