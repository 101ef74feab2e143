# The image of one service: docker build --build-arg SERVICE=gateway --tag parley/gateway .
# Services: gateway, auth, rooms, messages, files. `docker compose build` makes all of them.

ARG NODE_IMAGE=node:24.20.0-bookworm-slim

# What the service needs of other people's packages, exactly as in the lockfile; again only when these files change.
FROM ${NODE_IMAGE} AS dependencies
RUN npm install --global pnpm@10.34.9
WORKDIR /parley
COPY pnpm-lock.yaml pnpm-workspace.yaml ./
COPY packages/schema/package.json packages/schema/
COPY packages/protocol/package.json packages/protocol/
COPY packages/service-kit/package.json packages/service-kit/
ARG SERVICE
COPY services/${SERVICE}/package.json services/${SERVICE}/
RUN pnpm install --prod --frozen-lockfile --ignore-scripts --filter "@parley/${SERVICE}..."

# TypeBox in one piece.
FROM ${NODE_IMAGE} AS schema
RUN npm install --global pnpm@10.34.9
WORKDIR /parley
COPY pnpm-lock.yaml pnpm-workspace.yaml ./
COPY packages/schema packages/schema
RUN pnpm install --frozen-lockfile --filter @parley/schema

# The web client, which only the gateway's image has.
FROM ${NODE_IMAGE} AS web
RUN npm install --global pnpm@10.34.9
WORKDIR /parley
COPY pnpm-lock.yaml pnpm-workspace.yaml tsconfig.base.json ./
COPY packages/protocol/package.json packages/protocol/
COPY packages/client/package.json packages/client/
COPY packages/schema packages/schema
COPY apps/web/package.json apps/web/
ARG SERVICE
RUN if [ "$SERVICE" = gateway ]; then \
      pnpm install --frozen-lockfile --filter @parley/web --filter @parley/client --filter @parley/protocol --filter @parley/schema; \
    fi
COPY packages/protocol packages/protocol
COPY packages/client packages/client
COPY apps/web apps/web
RUN if [ "$SERVICE" = gateway ]; then node apps/web/build.mjs; else mkdir -p apps/web/dist; fi

FROM ${NODE_IMAGE}
# Where the files service keeps its files unless they go to S3: mount a volume here.
RUN install -d -o node -g node /var/lib/parley/files /var/cache/parley
COPY --from=dependencies /parley /parley
COPY --from=schema /parley/packages/schema/dist /parley/packages/schema/dist
# The workspace's own packages stay where they are and are linked to: Node runs TypeScript, but not from node_modules.
COPY packages/protocol /parley/packages/protocol
COPY packages/service-kit /parley/packages/service-kit
COPY deploy/probe.mjs deploy/fill-compile-cache.mjs /parley/
COPY --from=web /parley/apps/web/dist /parley/web
ARG SERVICE
COPY services/${SERVICE} /parley/services/${SERVICE}
WORKDIR /parley/services/${SERVICE}

ENV NODE_ENV=production
# By number, so that Kubernetes can see that it is not root.
USER 1000:1000
# What Node made of each file, so that no start has to do it again. It is kept by user, and need not be written to.
ENV NODE_COMPILE_CACHE=/var/cache/parley
RUN node /parley/fill-compile-cache.mjs
EXPOSE 20200 20290
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "/parley/probe.mjs", "livez"]
# Node itself is process 1 and drains at SIGTERM.
ENTRYPOINT ["node", "src/main.ts"]

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="parley-${SERVICE}" \
      org.opencontainers.image.description="The ${SERVICE} service of Parley, the chat backend that teams self-host" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="docker.io/library/${NODE_IMAGE}"
