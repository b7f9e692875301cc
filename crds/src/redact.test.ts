import { describe, expect, it } from 'vitest';
import { REDACTED, redacted } from './redact.ts';

const shown = (name: string, value = 'v') => redacted({ parameters: { [name]: value } }).parameters?.[name];

describe('parameters', () => {
  it.each([
    'password',
    'DB_PASSWORD',
    'apiKey',
    'api_key',
    'AWS_SECRET_ACCESS_KEY',
    'token',
    'HF_TOKEN',
    'access_token',
    'privateKey',
    'credentials',
    'auth',
    'passphrase',
  ])('named %s are left out', (name) => {
    expect(shown(name)).toBe(REDACTED);
  });
  it.each(['lr', 'tokenizer', 'max_tokens', 'num_tokens', 'pad_token_id', 'keyframes', 'author', 'monkey'])(
    'named %s are shown',
    (name) => {
      expect(shown(name)).toBe('v');
    },
  );
  it('lose the password of an address in their value', () => {
    expect(shown('registry', 'https://bot:hunter2@host/x')).toBe('https://host/x');
    expect(shown('mail', 'a@b.example')).toBe('a@b.example');
  });
});
