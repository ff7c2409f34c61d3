# One image plays every service role; the command says which. docker-compose.yml shows all of them.

# --- the packages, with what pip needs to install them -----------------------------------------------------------------
FROM python:3.13-slim AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements.txt /
RUN /venv/bin/pip install --require-hashes -r /requirements.txt && /venv/bin/python -m compileall -q /venv

# --- the platform ------------------------------------------------------------------------------------------------------
FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    VAR_DIR=/var/lib/notifications STATIC_COLLECTED=true
RUN groupadd --gid 10001 app && useradd --uid 10001 --gid app --home-dir /app --no-create-home app \
    && install -d -o app -g app /var/lib/notifications
COPY --from=packages /venv /venv
WORKDIR /app
COPY manage.py ./
COPY users users/
COPY templates_app templates_app/
COPY gateway gateway/
COPY channels_email channels_email/
COPY channels_push channels_push/
COPY consumers consumers/
COPY notifications_site notifications_site/
COPY deploy/healthcheck.py deploy/
# The secret that this makes in /tmp signs nothing and is gone before the layer is.
RUN ENVIRONMENT=local VAR_DIR=/tmp/build python manage.py collectstatic --no-input --verbosity 0 \
    && rm -r /tmp/build && python -m compileall -q .
# Told by the metric notify_build_info: docker build --build-arg BUILD_COMMIT=$(git rev-parse HEAD) .
ARG BUILD_COMMIT=""
ENV BUILD_COMMIT=$BUILD_COMMIT
USER 10001:10001
EXPOSE 3000 3001 3002 3003 3005
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["python", "deploy/healthcheck.py"]
ENTRYPOINT ["python", "manage.py"]
CMD ["run_web", "--host", "0.0.0.0"]
