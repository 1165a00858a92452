# syntax=docker/dockerfile:1
# The image of every process: `serve` unless another command is given. Nothing secret is in it.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /opt/chotdon
WORKDIR /build
# What is locked first: it is built anew only when it changes.
COPY requirements.lock ./
RUN /opt/chotdon/bin/pip install --only-binary :all: --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY core ./core
COPY zalo_oa ./zalo_oa
COPY bot ./bot
COPY jobs ./jobs
COPY sandbox ./sandbox
COPY cli ./cli
RUN /opt/chotdon/bin/pybabel --quiet compile --directory bot/texts/locale --domain chotdon \
    && /opt/chotdon/bin/pip install --no-deps . \
    && python -m compileall -q /opt/chotdon/lib

FROM python:3.11-slim-bookworm
COPY --from=build /opt/chotdon /opt/chotdon
ENV PATH=/opt/chotdon/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CHOTDON_ENV=production \
    CHOTDON_ENV_FILE=
# Counters of the processes are merged in var/; everything else may be read-only.
RUN mkdir -p /srv/chotdon/var && chown 10001:10001 /srv/chotdon/var
WORKDIR /srv/chotdon
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 CMD ["chotdon", "healthy", "serve"]
ENTRYPOINT ["chotdon"]
CMD ["serve", "--host", "0.0.0.0"]
