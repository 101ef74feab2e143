/*
 * What Grafana requires of a dashboard file, for the parts that ours use (its kind `dashboard`, schema version 39; there is no
 * package with the schema as JSON). Nothing else may be in them, so that what is misspelled is found.
 */

const text = { type: 'string', minLength: 1 };
const integer = { type: 'integer', minimum: 0 };
const flag = { type: 'boolean' };

/** An object of just these properties, all of them required but those named. */
function object(properties: Record<string, object>, optional: readonly string[] = []): object {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required, additionalProperties: false };
}

function listOf(items: object): object {
  return { type: 'array', items };
}

function oneOf(...values: readonly (string | number)[]): object {
  return { enum: values };
}

const dataSource = object({ type: { const: 'prometheus' }, uid: { const: '${datasource}' } });

const gridPos = object({
  x: { ...integer, maximum: 23 },
  y: integer,
  w: { ...integer, minimum: 1, maximum: 24 },
  h: { ...integer, minimum: 1 },
});

const target = object({
  datasource: dataSource,
  editorMode: { const: 'code' },
  expr: text,
  legendFormat: { type: 'string' },
  range: flag,
  refId: { type: 'string', pattern: '^[A-Z]$' },
});

const thresholds = object({
  mode: oneOf('absolute', 'percentage'),
  // The first has no value: it is everything below the next.
  steps: {
    ...listOf(object({ color: oneOf('green', 'orange', 'red'), value: { type: ['number', 'null'] } })),
    minItems: 1,
  },
});

const lines = object(
  {
    fillOpacity: { ...integer, maximum: 100 },
    lineWidth: { ...integer, maximum: 10 },
    showPoints: oneOf('auto', 'never', 'always'),
    spanNulls: flag,
    stacking: object({ mode: oneOf('none', 'normal', 'percent'), group: text }),
    thresholdsStyle: object({ mode: oneOf('off', 'line', 'dashed', 'area') }),
  },
  ['thresholdsStyle'],
);

/** Units have ids of Grafana's own; an unknown one would be shown as a suffix. */
const unit = oneOf('short', 's', 'bytes', 'Bps', 'percentunit');

function panel(type: string, custom: Record<string, object>, options: object): object {
  const number = { type: 'number' };
  const color = object({ mode: oneOf('palette-classic', 'thresholds') });
  return object({
    id: { ...integer, minimum: 1 },
    type: { const: type },
    title: text,
    description: text,
    datasource: dataSource,
    gridPos,
    fieldConfig: object({
      defaults: object({ color, unit, thresholds, min: number, max: number, ...custom }, ['min', 'max']),
      overrides: { type: 'array', maxItems: 0 },
    }),
    options,
    targets: { ...listOf(target), minItems: 1 },
  });
}

const timeSeries = panel(
  'timeseries',
  { custom: lines },
  object({
    legend: object({
      calcs: listOf(oneOf('mean', 'max', 'lastNotNull')),
      displayMode: oneOf('list', 'table'),
      placement: oneOf('bottom', 'right'),
      showLegend: flag,
    }),
    tooltip: object({ mode: oneOf('single', 'multi', 'none'), sort: oneOf('asc', 'desc', 'none') }),
  }),
);

const stat = panel(
  'stat',
  {},
  object({
    colorMode: oneOf('value', 'background', 'none'),
    graphMode: oneOf('area', 'none'),
    justifyMode: oneOf('auto', 'center'),
    orientation: oneOf('auto', 'horizontal', 'vertical'),
    reduceOptions: object({ calcs: listOf(oneOf('lastNotNull')), fields: { type: 'string' }, values: flag }),
    textMode: oneOf('auto', 'value', 'value_and_name', 'name', 'none'),
  }),
);

/** A headline. What is below it stands behind it in the list; only a collapsed one has panels of its own. */
const row = object({
  id: { ...integer, minimum: 1 },
  type: { const: 'row' },
  title: text,
  collapsed: { const: false },
  gridPos,
  panels: { type: 'array', maxItems: 0 },
});

const variable = {
  name: { type: 'string', pattern: '^\\w+$' },
  label: text,
  refresh: oneOf(0, 1, 2),
  hide: oneOf(0, 1, 2),
  multi: flag,
  includeAll: flag,
  current: object({}),
};

const variables = {
  anyOf: [
    object({ ...variable, type: { const: 'datasource' }, query: { const: 'prometheus' } }),
    object({
      ...variable,
      type: { const: 'query' },
      datasource: dataSource,
      definition: text,
      query: object({ query: text, refId: text }),
      sort: { ...integer, maximum: 8 },
      allValue: text,
    }),
  ],
};

const link = object({
  title: text,
  type: oneOf('dashboards', 'link'),
  tags: listOf(text),
  asDropdown: flag,
  icon: text,
  includeVars: flag,
  keepTime: flag,
  targetBlank: flag,
  tooltip: { type: 'string' },
  url: { type: 'string' },
});

/** A dashboard, as Grafana reads it from a file. */
export const dashboardSchema = object({
  uid: { type: 'string', pattern: '^[a-z-]{8,40}$' },
  title: text,
  description: text,
  tags: listOf(text),
  timezone: oneOf('browser', 'utc'),
  schemaVersion: { const: 39 },
  version: integer,
  editable: flag,
  graphTooltip: oneOf(0, 1, 2),
  refresh: { type: 'string', pattern: '^\\d+[smh]$' },
  time: object({ from: text, to: text }),
  templating: object({ list: listOf(variables) }),
  annotations: object({ list: { type: 'array', maxItems: 0 } }),
  links: listOf(link),
  panels: { ...listOf({ anyOf: [row, timeSeries, stat] }), minItems: 1 },
});
