# Ollama as a user of its own. Its image runs as root and keeps everything under /root; a new volume at /ollama takes
# over the owner given here. Versions before 0.17.1 leak memory of the server to whoever uploads a GGUF (CVE-2026-7482).
FROM ollama/ollama:0.33.3

RUN install --directory --owner=10001 --group=10001 --mode=700 /ollama

ENV HOME=/ollama
WORKDIR /ollama
USER 10001:10001
