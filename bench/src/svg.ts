/** Small plots as SVG, to stand in a page by themselves: no script, no font, no file beside it. */

export interface LinePlot {
  title: string;
  xLabel: string;
  lines: readonly { name: string; points: readonly (readonly [x: number, y: number])[] }[];
  /** What stands under the axis, for x values that are no quantities: the x of a point is its place in there. */
  xTicks?: readonly string[];
}

export interface BarPlot {
  title: string;
  bars: readonly { name: string; value: number }[];
}

const width = 460;
const left = 58;
const right = 16;
const top = 30;
const lineHeight = 16;
const plotHeight = 170;
const barHeight = 18;
const barGap = 6;
const barLabelWidth = 190;
/** Told apart also by those who don't see all colours (Okabe and Ito). */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#595959'];
const wantedTicks = 4;
/** A line of more points is drawn without a dot at each. */
const mostDots = 40;

/** Round steps from 0 to at least the highest value. */
export function ticksUpTo(highest: number): number[] {
  if (highest <= 0) return [0, 1];
  const rough = highest / wantedTicks;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * magnitude >= rough) ?? 10) * magnitude;
  const count = Math.ceil(highest / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

/** One line for each name over the same x, with both axes from 0, or the x in equal steps where these are named. */
export function lineSvg({ title, xLabel, lines, xTicks }: LinePlot): string {
  const points = lines.flatMap((line) => line.points);
  const yTicks = ticksUpTo(Math.max(...points.map(([, y]) => y), 0));
  const xSteps = xTicks ? xTicks.map((_, index) => index) : ticksUpTo(Math.max(...points.map(([x]) => x), 0));
  const xMax = Math.max(xSteps.at(-1) ?? 1, 1e-9);
  const yMax = yTicks.at(-1)!;
  const bottom = top + plotHeight;
  const xAt = (x: number): number => left + (x / xMax) * (width - left - right);
  const yAt = (y: number): number => bottom - (y / yMax) * plotHeight;
  const height = bottom + 36 + lines.length * lineHeight;
  return svg(title, height, [
    ...yTicks.flatMap((tick) => [
      element('line', { x1: left, x2: width - right, y1: yAt(tick), y2: yAt(tick), class: 'grid' }),
      text(left - 6, yAt(tick) + 4, short(tick), 'end'),
    ]),
    ...xSteps.map((step) => text(xAt(step), bottom + 16, xTicks?.[step] ?? short(step), 'middle')),
    text(width - right, bottom + 32, xLabel, 'end'),
    ...lines.flatMap(({ name, points: own }, index) => {
      const colour = colourOf(index);
      const sorted = own.toSorted(([a], [b]) => a - b);
      const legendAt = bottom + 40 + index * lineHeight;
      return [
        element('polyline', {
          points: sorted.map(([x, y]) => `${round(xAt(x))},${round(yAt(y))}`).join(' '),
          fill: 'none',
          stroke: colour,
          'stroke-width': 2,
        }),
        ...(sorted.length > mostDots ? [] : sorted).map(([x, y]) =>
          element('circle', { cx: xAt(x), cy: yAt(y), r: 3, fill: colour }),
        ),
        element('rect', { x: left, y: legendAt - 9, width: 10, height: 10, fill: colour }),
        text(left + 16, legendAt, name, 'start'),
      ];
    }),
  ]);
}

/** Bars one below the other, with their values. */
export function barSvg({ title, bars }: BarPlot): string {
  const highest = Math.max(...bars.map(({ value }) => value), 1e-9);
  const room = width - barLabelWidth - 70;
  const rows = bars.flatMap(({ name, value }, index) => {
    const y = top + index * (barHeight + barGap);
    const length = (value / highest) * room;
    return [
      text(barLabelWidth - 6, y + 13, name, 'end'),
      element('rect', {
        x: barLabelWidth,
        y,
        width: Math.max(length, 1),
        height: barHeight,
        fill: colourOf(index === 0 ? 0 : 6),
      }),
      text(barLabelWidth + length + 6, y + 13, short(value), 'start'),
    ];
  });
  return svg(title, top + bars.length * (barHeight + barGap) + 4, rows);
}

function svg(title: string, height: number, content: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${round(height)}" width="${width}" role="img" aria-label="${escapeText(title)}">`,
    text(0, 16, title, 'start', 'title'),
    ...content,
    '</svg>',
  ].join('\n');
}

function element(name: string, attributes: Readonly<Record<string, string | number>>): string {
  const written = Object.entries(attributes).map(
    ([key, value]) => `${key}="${typeof value === 'number' ? round(value) : escapeText(value)}"`,
  );
  return `<${name} ${written.join(' ')}/>`;
}

function text(x: number, y: number, content: string, anchor: string, kind = 'label'): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" class="${kind}">${escapeText(content)}</text>`;
}

function colourOf(index: number): string {
  return colours[index % colours.length]!;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** As 1.2k or 3.4M: at most four characters of digits. */
function short(value: number): string {
  for (const [size, unit] of [
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (value >= size * 10) return `${Math.round(value / size)}${unit}`;
    if (value >= size) return `${Number((value / size).toFixed(1))}${unit}`;
  }
  return String(Number(value.toPrecision(3)));
}

export function escapeText(content: string): string {
  return content.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
