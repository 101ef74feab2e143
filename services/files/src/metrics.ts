import { metrics } from '@parley/service-kit';
import { Counter, Histogram } from 'prom-client';

const registers = [metrics];

export const uploadsBegun = new Counter({
  name: 'parley_files_uploads_total',
  help: 'Uploads that were begun or resumed.',
  registers,
});

export const chunksStored = new Counter({
  name: 'parley_files_chunks_total',
  help: 'Chunks stored.',
  registers,
});

export const chunkBytesStored = new Counter({
  name: 'parley_files_chunk_bytes_total',
  help: 'Bytes of chunks stored.',
  registers,
});

export const filesAssembled = new Counter({
  name: 'parley_files_assemblies_total',
  help: 'Attempts to put a file together, by outcome (`ok` or the code of the error).',
  labelNames: ['outcome'] as const,
  registers,
});
// There from the start, so that the first one is seen as a rise.
for (const outcome of ['ok', 'unavailable', 'internal']) filesAssembled.inc({ outcome }, 0);

export const assemblySeconds = new Histogram({
  name: 'parley_files_assembly_seconds',
  help: 'How long it took to put a file together, its announcement included; failed attempts, too.',
  buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
  registers,
});

export const bytesRead = new Counter({
  name: 'parley_files_read_bytes_total',
  help: 'Bytes of files read for downloads.',
  registers,
});
