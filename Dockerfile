# The demo with its embedded model. For a GPU: docker build --build-arg TORCH=cuda, and docker run --gpus all.
FROM python:3.12-slim

ARG TORCH=cpu
RUN useradd --create-home --uid 1000 demo && mkdir /data && chown demo /data
WORKDIR /app

# PyPI's torch is the one for CUDA; the CPU's, a tenth of its size, comes from PyTorch's own index
COPY requirements.txt .
RUN if [ "$TORCH" = cpu ]; then \
        pip install --no-cache-dir "$(grep '^torch==' requirements.txt)" --index-url https://download.pytorch.org/whl/cpu; \
    fi \
    && pip install --no-cache-dir -r requirements.txt

COPY . .
USER demo
VOLUME /data
EXPOSE 7860
HEALTHCHECK --start-period=120s --interval=30s --timeout=5s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/gradio_api/app_id', timeout=4)"]
ENTRYPOINT ["python", "app.py", "--host", "0.0.0.0", "--port", "7860", "--data", "/data"]
