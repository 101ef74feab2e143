/** `npm run image-sizes`: how large the images are that `docker compose build` made, without the base they share and with it. */
import { spawnSync } from 'node:child_process';

const version = process.env.PARLEY_VERSION ?? 'latest';
const services = ['gateway', 'auth', 'rooms', 'messages', 'files'];
const mebibyte = 2 ** 20;

let missing = 0;
console.log('image                          whole   of it ours');
for (const service of services) {
  const image = `parley/${service}:${version}`;
  const layers = ownLayers(image);
  const whole = Number(docker('image', 'inspect', '--format', '{{.Size}}', image));
  if (layers === undefined || Number.isNaN(whole)) {
    console.log(`${image.padEnd(26)} not there: docker compose build`);
    missing += 1;
    continue;
  }
  const own = layers.reduce((sum, bytes) => sum + bytes, 0);
  console.log(`${image.padEnd(26)} ${mib(whole)}     ${mib(own)}`);
}
process.exitCode = missing > 0 ? 1 : 0;

/** Bytes of each layer above those of the Node image: all since the folder of the files service was made. */
function ownLayers(image) {
  const history = docker(
    'history',
    '--no-trunc',
    '--human=false',
    '--format',
    '{{.Size}} {{.CreatedBy}}',
    image,
  );
  if (history === undefined) return undefined;
  const lines = history.split('\n');
  const first = lines.findIndex((line) => line.includes('/var/lib/parley/files'));
  return lines.slice(0, first + 1).map((line) => Number.parseInt(line, 10));
}

function mib(bytes) {
  return `${(bytes / mebibyte).toFixed(1)} MiB`.padStart(10);
}

/** What docker prints; undefined where it fails. */
function docker(...args) {
  const { status, stdout } = spawnSync('docker', args, { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
