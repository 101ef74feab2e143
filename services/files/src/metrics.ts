import { metrics } from '@parley/service-kit';
import { Counter } from 'prom-client';

const registers = [metrics];

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

export const bytesRead = new Counter({
  name: 'parley_files_read_bytes_total',
  help: 'Bytes of files read for downloads.',
  registers,
});
