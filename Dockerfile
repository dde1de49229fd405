# One static binary in an image with nothing else in it: no shell, no package
# manager, no zone files (the program brings its own, so that every container
# computes the same windows).
#
#   docker build -t epro --build-arg VERSION=1.2.3 .
#   docker run -p 127.0.0.1:8080:8080 -v epro-data:/data --read-only --tmpfs /tmp epro
#
# Pin both images by digest (image@sha256:…) for a study: a tag can move.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/epro ./cmd/epro \
 && mkdir -p /out/data /out/checkpoints

FROM scratch
# For TLS to a database or push service elsewhere.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/epro /epro
# A new named volume takes over the owner of the folder it is mounted on.
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build --chown=65532:65532 /out/checkpoints /checkpoints
USER 65532:65532
ENV EPRO_ADDR=0.0.0.0:8080 \
    EPRO_STORE=sqlite:/data/epro.db
EXPOSE 8080
VOLUME /data
# SIGTERM drains and stops within 10 s; docker's own limit is 10 s as well.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["/epro", "health"]
ENTRYPOINT ["/epro"]
CMD ["serve"]
