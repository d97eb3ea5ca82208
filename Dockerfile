FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
# The dependencies alone first, so that a change of ours leaves this layer as it is. Targets with files of their own
# ([[bench]] and the like) are cut out of the manifest, because those files are not here yet.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src \
    && echo 'fn main() {}' > src/main.rs \
    && touch src/lib.rs \
    && sed -i '/^\[\[/,/^$/d' Cargo.toml \
    && cargo build --release --locked \
    && rm -r src target/release/tintype target/release/deps/*tintype* target/release/.fingerprint/tintype-*
COPY . .
RUN cargo build --release --locked --bin tintype

# Out of Debian's packages only the files that are used: certificates for TLS to the database and the store, and the fonts
# that the table of fallbacks names (the packages have 100 MB more, mostly serifs).
FROM debian:bookworm-slim AS files
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates fonts-dejavu-core fonts-noto-cjk fonts-noto-color-emoji fonts-noto-core
COPY src/card/font_files.rs /tmp/
RUN mkdir /files \
    && grep -o '"[A-Z][A-Za-z0-9-]*\.tt[cf]"' /tmp/font_files.rs | tr -d '"' | sort -u \
        | xargs -I NAME find /usr/share/fonts -name NAME \
        | xargs cp --parents -t /files \
    && cp --parents -t /files /usr/share/doc/fonts-*/copyright /etc/ssl/certs/ca-certificates.crt

# What both images have. `docker build .` makes the one without a browser, `--target chromium` the one with it.
FROM debian:bookworm-slim AS base
LABEL org.opencontainers.image.title="tintype" \
      org.opencontainers.image.description="Social images made beside your Postgres: every row gets its picture" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=files /files /
RUN groupadd --gid 10001 tintype \
    && useradd --no-log-init --uid 10001 --gid tintype --create-home --home-dir /var/lib/tintype tintype
COPY --from=build /src/target/release/tintype /usr/local/bin/tintype
USER 10001:10001
WORKDIR /var/lib/tintype
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s CMD ["tintype", "healthcheck"]
ENTRYPOINT ["tintype"]
CMD ["run"]

# For pages. As a child of a worker that is not root Chromium wants user namespaces for its sandbox: deploy/README.md. Mesa's drivers
# come along as somebody's dependency; a browser without a GPU never opens them, and they are 160 MB.
FROM base AS chromium
USER root
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends chromium-headless-shell \
    && rm -rf /var/lib/apt/lists/* /usr/lib/*/dri /usr/lib/*/libLLVM* /usr/lib/*/libz3*
USER 10001:10001

FROM base AS tintype
