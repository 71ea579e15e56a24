# The SBC runs its TypeScript sources directly; there is no build step.
FROM node:26-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production
# nft is for `media.io` with the kernel: it may change the network if the container may (cap_add: NET_ADMIN), the SBC may not.
RUN apt-get update \
  && apt-get install -y --no-install-recommends nftables iproute2 libcap2-bin \
  && setcap cap_net_admin=ep /usr/sbin/nft \
  && apt-get purge -y --auto-remove libcap2-bin \
  && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json ./
# The lockfile names optional binaries of other platforms, which `npm ci` would insist on.
RUN npm install --omit=dev --no-audit --no-fund
COPY src ./src
COPY config ./config
# Everything that is written lies here: call records, their journal, feature keys. The rest may be read-only.
RUN mkdir data && chown node:node data
VOLUME /app/data
USER node
# API and console; signalling and media use the ports of the configuration.
EXPOSE 8080/tcp
# With another `api.listen` set SBC_HEALTH_URL.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch(process.env.SBC_HEALTH_URL ?? 'http://127.0.0.1:8080/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# SIGTERM drains: give the container time to do so (`docker stop --time`, stop_grace_period).
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "src/cli/tonebridge.ts"]
CMD ["run"]
