const WIDTH = 5;

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** A log line as JSON, made into one for a person: `12:03:44 INFO  leading  identity=pod-a`. An error's stack follows. */
export function readable(line: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const { message, stack } = (err ?? {}) as { message?: string; stack?: string };
  const pairs = Object.entries({ ...fields, ...(message === undefined ? {} : { err: message }) });
  const text = pairs.map(([name, value]) => ` ${name}=${shown(value)}`).join('');
  const trace = level === 'error' && stack !== undefined ? `\n${stack}` : '';
  return `${String(time).slice(11, 19)} ${String(level).toUpperCase().padEnd(WIDTH)} ${msg}${text === '' ? '' : ' '}${text}${trace}\n`;
}
