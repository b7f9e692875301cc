/** Prometheus' text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). */
export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export type Labels = Readonly<Record<string, string>>;
export type MetricType = 'counter' | 'gauge' | 'histogram';

/** `le` of a bucket, and a value. */
const numberText = (value: number): string => {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
};

const escaped = (value: string): string => value.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`));

const labelsText = (labels: Labels): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length > 0 ? `{${pairs.join(',')}}` : '';
};

/** Collects metrics as text. A family without a sample is left out. */
export class MetricsText {
  #text = '';
  #head = '';
  #name = '';

  family(name: string, type: MetricType, help: string): void {
    this.#name = name;
    this.#head = `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`;
  }

  sample(labels: Labels, value: number): void {
    this.#line('', labels, value);
  }

  /** `counts` has one entry more than `bounds`; they are not cumulative, `le` is. */
  histogram(labels: Labels, bounds: readonly number[], counts: readonly number[], sum: number): void {
    let below = 0;
    counts.forEach((count, i) => {
      below += count;
      this.#line('_bucket', { ...labels, le: numberText(bounds[i] ?? Number.POSITIVE_INFINITY) }, below);
    });
    this.#line('_sum', labels, sum);
    this.#line('_count', labels, below);
  }

  toString(): string {
    return this.#text;
  }

  #line(suffix: string, labels: Labels, value: number): void {
    this.#text += `${this.#head}${this.#name}${suffix}${labelsText(labels)} ${numberText(value)}\n`;
    this.#head = '';
  }
}
