import type { GatewayStatus } from '@parley/protocol';
import { tableLines } from '../../text/table.ts';
import type { Column } from '../../text/table.ts';
import { shortDuration } from '../times.ts';
import type { InstanceStatus, Overview } from './overview.ts';

const instanceColumns: Column<InstanceStatus>[] = [
  { title: 'SERVICE', text: ({ service }) => service },
  { title: 'ID', text: ({ id }) => id },
  { title: 'VERSION', text: ({ version }) => version },
  { title: 'UP', text: ({ uptimeMs }) => shortDuration(uptimeMs), isNumber: true },
  { title: 'REQUESTS', text: ({ requests }) => String(requests), isNumber: true },
  { title: 'ERRORS', text: ({ errors }) => String(errors), isNumber: true },
  {
    title: 'MEAN',
    text: ({ meanMs }) => (meanMs === null ? '-' : `${meanMs.toFixed(1)} ms`),
    isNumber: true,
  },
];

/** What an operator reads. */
export function describeOverview({ services, gateways }: Overview): string {
  const lines = tableLines(instanceColumns, services);
  return [
    ...lines,
    ...(gateways.length > 0 ? ['', ...tableLines(gatewayColumns(gateways), gateways)] : []),
  ].join('\n');
}

/** With a column for each dialect that some gateway has connections of. */
function gatewayColumns(gateways: readonly GatewayStatus[]): Column<GatewayStatus>[] {
  const dialects = [...new Set(gateways.flatMap(({ connections }) => Object.keys(connections)))].sort();
  return [
    { title: 'GATEWAY', text: ({ gatewayId }) => gatewayId },
    ...dialects.map((dialect) => ({
      title: dialect.toUpperCase(),
      text: ({ connections }: GatewayStatus) => String(connections[dialect] ?? 0),
      isNumber: true,
    })),
    { title: 'NOBODY YET', text: ({ anonymous }) => String(anonymous), isNumber: true },
    { title: 'GUESTS', text: ({ guests }) => String(guests), isNumber: true },
    { title: 'ROOMS', text: ({ rooms }) => String(rooms), isNumber: true },
  ];
}
