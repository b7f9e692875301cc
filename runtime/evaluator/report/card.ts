import { stringify } from 'yaml';
import type { ReportDocument } from './document.ts';
import { type CardSection, cardSections, type Table } from './sections.ts';

/** Characters that would end a cell or begin markup; a trainer chose some of these texts. */
const cell = (text: string): string =>
  text.replace(/[\\`*_{}[\]<>|]/g, (character) => `\\${character}`).replace(/\s*\n\s*/g, ' ');

const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;

const table = ({ head, rows }: Table): string =>
  [row(head), `|${head.map(() => ' --- |').join('')}`, ...rows.map(row)].join('\n');

const section = ({ title, text, table: of, otherwise }: CardSection): string => {
  const body = of === undefined || of.rows.length === 0 ? otherwise : table(of);
  return [`## ${title}`, text, body].filter((part) => part !== undefined).join('\n\n');
};

/** The model card as Markdown, with a Hugging Face model-index in its front matter, so that hubs show the metrics. */
export function modelCard(report: ReportDocument): string {
  return `---\n${stringify(frontMatter(report))}---\n\n# ${cell(report.model)} ${report.version}\n\n${cardSections(report).map(section).join('\n\n')}\n`;
}

const frontMatter = ({ model, name, metrics }: ReportDocument): object => ({
  library_name: 'onnx',
  'model-index': [
    {
      name,
      results: [
        {
          task: { type: 'other', name: model },
          dataset: { type: 'other', name: 'held-out' },
          metrics: metrics.map(({ metric, value }) => ({
            type: metric,
            value: Number(value.toPrecision(6)),
            verified: true,
          })),
        },
      ],
    },
  ],
});
