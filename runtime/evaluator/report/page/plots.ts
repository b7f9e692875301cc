import type { ReportDocument } from '../document.ts';
import type { Picture } from '../picture.ts';
import { range, shown } from '../sections.ts';
import { type Axis, at, axes, bar, dot, type Frame, line, path, picture, text } from './svg.ts';

/** A plot with the sentence that says how to read it. */
export interface Plot {
  readonly title: string;
  readonly svg: string;
  readonly caption: string;
}

const [WIDTH, HEIGHT] = [460, 340];
const FRAME: Frame = { left: 62, right: WIDTH - 14, top: 14, bottom: HEIGHT - 48 };
const unit = (label: string): Axis => ({ from: 0, to: 1, label });

export function plotsOf({ picture: shownPicture, slices, metrics }: ReportDocument): readonly Plot[] {
  const { calibration, roc, scores, residuals } = shownPicture ?? {};
  const overall = metrics.find(({ metric }) => metric === slices[0]?.metric)?.value;
  const plots = [
    calibration && calibrationPlot(calibration),
    roc &&
      rocPlot(
        roc,
        metrics.find(({ metric }) => metric === 'rocAuc'),
      ),
    scores && scorePlot(scores),
    residuals && residualPlot(residuals),
    slices.length > 0 ? slicePlot(slices, overall) : undefined,
  ];
  return plots.filter((plot) => plot !== undefined);
}

function calibrationPlot(bins: NonNullable<Picture['calibration']>): Plot {
  const [x, y] = [unit('score'), unit('share that is positive')];
  const marks = bins.map(({ score, share, low, high }) => {
    const place = at(score, x, FRAME.left, FRAME.right);
    const up = (value: number) => at(value, y, FRAME.bottom, FRAME.top);
    return line(place, up(low), place, up(high), 'interval') + dot(place, up(share), 'point');
  });
  const diagonal = line(FRAME.left, FRAME.bottom, FRAME.right, FRAME.top, 'reference');
  return {
    title: 'Calibration',
    svg: picture(WIDTH, HEIGHT, 'Calibration curve', axes(x, y, FRAME) + diagonal + marks.join('')),
    caption:
      'Of the examples with a score near x, the share that is positive, with 95 % intervals. On the dashed line the scores are right.',
  };
}

function rocPlot(points: NonNullable<Picture['roc']>, area: ReportDocument['metrics'][number] | undefined): Plot {
  const [x, y] = [unit('false positive rate'), unit('true positive rate')];
  const curve = points.map(([a, b]) => [at(a, x, FRAME.left, FRAME.right), at(b, y, FRAME.bottom, FRAME.top)] as const);
  const diagonal = line(FRAME.left, FRAME.bottom, FRAME.right, FRAME.top, 'reference');
  return {
    title: 'Ranking',
    svg: picture(WIDTH, HEIGHT, 'ROC curve', axes(x, y, FRAME) + diagonal + path(curve, 'curve')),
    caption:
      area === undefined
        ? 'ROC curve.'
        : `ROC curve; area ${shown(area.value)} (95 % ${range(area)}). The dashed line is chance.`,
  };
}

function scorePlot({ positives, others }: NonNullable<Picture['scores']>): Plot {
  const most = Math.max(1, ...positives.map((count, i) => count + (others[i] ?? 0)));
  const [x, y] = [unit('score'), { from: 0, to: most, label: 'examples' }];
  const width = (FRAME.right - FRAME.left) / positives.length;
  const bars = positives.map((count, i) => {
    const left = FRAME.left + i * width + 1;
    const [first, second] = [
      at(others[i] ?? 0, y, FRAME.bottom, FRAME.top),
      at(count + (others[i] ?? 0), y, FRAME.bottom, FRAME.top),
    ];
    return (
      bar(left, first, width - 2, FRAME.bottom - first, 'other') +
      bar(left, second, width - 2, first - second, 'positive')
    );
  });
  const legend =
    bar(FRAME.right - 150, FRAME.top + 2, 10, 10, 'positive') +
    text(FRAME.right - 135, FRAME.top + 11, 'label 1', 'start', 'tick') +
    bar(FRAME.right - 75, FRAME.top + 2, 10, 10, 'other') +
    text(FRAME.right - 60, FRAME.top + 11, 'others', 'start', 'tick');
  return {
    title: 'Scores',
    svg: picture(WIDTH, HEIGHT, 'Histogram of scores', axes(x, y, FRAME) + bars.join('') + legend),
    caption: 'How many examples got which score, by their label.',
  };
}

function residualPlot(points: NonNullable<Picture['residuals']>): Plot {
  const span = (values: readonly number[]): readonly [number, number] => [Math.min(...values), Math.max(...values)];
  const [left, right] = span(points.map(([prediction]) => prediction));
  const [low, high] = span(points.map(([, error]) => error));
  const reach = Math.max(Math.abs(low), Math.abs(high), Number.MIN_VALUE);
  const [x, y] = [
    { from: left, to: right, label: 'prediction' },
    { from: -reach, to: reach, label: 'prediction − label' },
  ];
  const dots = points.map(([a, b]) =>
    dot(at(a, x, FRAME.left, FRAME.right), at(b, y, FRAME.bottom, FRAME.top), 'faint', 3),
  );
  const zero = at(0, y, FRAME.bottom, FRAME.top);
  return {
    title: 'Errors',
    svg: picture(
      WIDTH,
      HEIGHT,
      'Errors over predictions',
      axes(x, y, FRAME) + line(FRAME.left, zero, FRAME.right, zero, 'reference') + dots.join(''),
    ),
    caption: `Error of ${points.length} examples over what was predicted. A slope or a widening is what the model has not learned.`,
  };
}

const ROW = 22;
const NAMES = 250;
const MOST = 30;

function slicePlot(all: ReportDocument['slices'], overall: number | undefined): Plot {
  const rows = all.slice(0, MOST);
  const values = rows.flatMap(({ low, high, value }) => [low, high, value]).filter((value) => Math.abs(value) < 1e300);
  const pad = (Math.max(...values) - Math.min(...values)) * 0.04;
  const x: Axis = { from: Math.min(...values) - pad, to: Math.max(...values) + pad, label: rows[0]?.metric ?? '' };
  const [width, height] = [760, rows.length * ROW + 58];
  const frame: Frame = { left: NAMES, right: width - 70, top: 8, bottom: height - 46 };
  const marks = rows.map(({ slice, value, low, high, rows: n, isSmall }, i) => {
    const middle = frame.top + (i + 0.5) * ROW;
    const place = (of: number) => at(of, x, frame.left, frame.right);
    const name = slice.length > 36 ? `${slice.slice(0, 35)}…` : slice;
    return (
      text(frame.left - 8, middle + 4, name, 'end', 'tick') +
      line(place(low), middle, place(high), middle, isSmall ? 'weak' : 'interval') +
      dot(place(value), middle, isSmall ? 'faint' : 'point') +
      text(width - 6, middle + 4, `n=${n.toLocaleString('en')}`, 'end', 'tick')
    );
  });
  const reference =
    overall === undefined
      ? ''
      : line(
          at(overall, x, frame.left, frame.right),
          frame.top,
          at(overall, x, frame.left, frame.right),
          frame.bottom,
          'reference',
        );
  const empty: Axis = { from: 0, to: 0, label: '' };
  return {
    title: 'Slices',
    svg: picture(width, height, `${x.label} by slice`, axes(x, empty, frame) + reference + marks.join('')),
    caption: `${x.label} of ${rows.length < all.length ? `the ${rows.length} worst slices` : 'each slice'} with its 95 % interval, worst first; the dashed line is all examples together.`,
  };
}
