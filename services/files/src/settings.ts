import { databaseSettings, integer, optional, orFile, text, url } from '@parley/service-kit';

const gibibyte = 2 ** 30;

export const settings = {
  ...databaseSettings,
  filesDir: text('FILES_DIR', {
    default: '/var/lib/parley/files',
    doc: 'The folder that keeps files where there is no S3; one machine only.',
  }),
  s3Endpoint: optional(
    url('S3_ENDPOINT', ['http', 'https'], { doc: 'The S3 server that keeps files, instead of a folder.' }),
  ),
  s3Bucket: text('S3_BUCKET', {
    default: 'parley-files',
    doc: 'The bucket for files; made if it is missing.',
  }),
  s3Region: text('S3_REGION', { default: 'us-east-1', doc: 'The region of the bucket.' }),
  s3AccessKeyId: orFile(
    optional(
      text('AWS_ACCESS_KEY_ID', {
        doc: 'Names the S3 key; without it, the AWS SDK looks for a key or role in its usual places.',
      }),
    ),
  ),
  s3SecretAccessKey: orFile(optional(text('AWS_SECRET_ACCESS_KEY', { doc: 'The S3 key. Secret.' }))),
  maxFileBytes: integer('MAX_FILE_BYTES', {
    default: gibibyte,
    min: 1,
    // S3 takes 10,000 parts, ours are of 8 MiB.
    max: 64 * gibibyte,
    doc: 'Largest file, in bytes.',
  }),
  maxUnfinishedBytes: integer('MAX_UNFINISHED_BYTES', {
    default: 8 * gibibyte,
    min: 2 ** 20,
    doc: 'Most bytes of all unfinished uploads, as announced. NATS keeps them on disk.',
  }),
  maxUnfinishedBytesPerUser: integer('MAX_UNFINISHED_BYTES_PER_USER', {
    default: 2 * gibibyte,
    min: 1,
    doc: "Most bytes of one user's unfinished uploads, as announced.",
  }),
  chunkReplicas: integer('CHUNK_REPLICAS', {
    default: 1,
    min: 1,
    max: 5,
    doc: 'On how many servers of a NATS cluster each chunk is kept.',
  }),
  uploadKeepMs: integer('UPLOAD_KEEP_MS', {
    default: 24 * 3_600_000,
    min: 1_000,
    doc: 'How long unfinished uploads, and the bytes of files that are listed no more, are kept, in ms.',
  }),
  assemblyTimeoutMs: integer('ASSEMBLY_TIMEOUT_MS', {
    default: 600_000,
    min: 1_000,
    doc: 'Longest time for putting one file together, in ms.',
  }),
  sweepEveryMs: integer('SWEEP_EVERY_MS', {
    default: 10_000,
    min: 100,
    doc: 'How often one instance of the files service looks for what was left undone, in ms.',
  }),
};
