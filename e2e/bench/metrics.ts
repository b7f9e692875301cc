/** Sum over all label sets of one metric in Prometheus text; `label` keeps only lines that contain it. */
export function sumOf(text: string, metric: string, label = ''): number {
  return text
    .split('\n')
    .filter((line) => (line.startsWith(`${metric}{`) || line.startsWith(`${metric} `)) && line.includes(label))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
