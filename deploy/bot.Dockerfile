# The bot alone: no torch, no GPU, small enough for a Pi. Build it from the project's folder:
#   docker build -f deploy/bot.Dockerfile -t hearth-bot .
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

# The agent's uid, so that the bot can read the key in the agent's volume. New volumes take over the owner of /bot
# and /files.
RUN groupadd --gid 10001 hearth \
 && useradd --uid 10001 --gid 10001 --home-dir /bot --no-create-home --shell /usr/sbin/nologin hearth \
 && install --directory --owner=10001 --group=10001 --mode=700 /bot /files

COPY constraints.txt pyproject.toml README.md /app/
COPY bot /app/bot
COPY shared /app/shared
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --constraint /app/constraints.txt --editable '/app[bot]' \
 && python -m compileall -q /app/bot /app/shared \
 && chmod -R a+rX /app

ENV HEARTH_BOT_DIR=/bot HEARTH_FILES_DIR=/files
WORKDIR /files
USER 10001:10001
CMD ["hearth-bot"]
