FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
# The dependencies alone first, so that a change of ours leaves this layer as it is. Targets with files of their own
# ([[bench]] and the like) are cut out of the manifest, because those files are not here yet.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src \
    && echo 'fn main() {}' > src/main.rs \
    && touch src/lib.rs \
    && cp Cargo.toml /tmp/whole.toml \
    && sed -i '/^\[\[/,/^$/d' Cargo.toml \
    && cargo build --release --locked \
    && rm -r src target/release/tintype target/release/deps/*tintype* target/release/.fingerprint/tintype-*
COPY . .
RUN cargo build --release --locked --bin tintype

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="tintype" \
      org.opencontainers.image.description="Social images made beside your Postgres: every row gets its picture" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
# Certificates for TLS to the database and the store; the two Noto families for emoji and CJK, which are not embedded.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates fonts-noto-cjk fonts-noto-color-emoji \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /var/lib/tintype tintype
COPY --from=build /src/target/release/tintype /usr/local/bin/tintype
USER 10001:10001
WORKDIR /var/lib/tintype
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s CMD ["tintype", "healthcheck"]
ENTRYPOINT ["tintype"]
CMD ["run"]
