/** The images of the tests' servers, those of docker-compose.yml. */
export const images = {
  nats: 'nats:2.12.8-alpine',
  redis: 'redis:8.2.8-alpine',
  postgres: 'postgres:18.1-alpine',
  minio: 'minio/minio:RELEASE.2025-09-07T16-13-09Z',
} as const;
