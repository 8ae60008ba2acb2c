# The registry as one container. `docker run -v data:/data -p 5050:8080 <image>` keeps everything in a volume; the
# ingest stack runs it with ENTREPOT_STORES=aws over the table and the bucket of a deployment.
FROM node:24-trixie-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# Nothing that is installed needs a script of its own: native parts come built.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-trixie-slim
ENV NODE_ENV=production \
    ENTREPOT_HOST=0.0.0.0 \
    ENTREPOT_PORT=8080 \
    ENTREPOT_DATA=/data \
    ENTREPOT_LOG=json
WORKDIR /app
RUN mkdir /data && chown node:node /data
COPY --from=packages /app/node_modules ./node_modules
COPY package.json ./
COPY cli ./cli
COPY functions ./functions
COPY shared ./shared
USER node
EXPOSE 8080
VOLUME /data
HEALTHCHECK --interval=30s --timeout=5s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Not npm: it would not pass SIGTERM on.
CMD ["node", "cli/main.ts", "serve"]
