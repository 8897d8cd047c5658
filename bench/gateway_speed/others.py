"""The other gateways, each with a key check, an added header and a log line for each request.

None keeps a body or an answer back, as a gateway for large pictures and streams must not. The C
programs have larger buffers than by default, with which they pass 1 MB on with fewer calls.
"""

from __future__ import annotations

from pathlib import Path
from string import Template

import yaml

from bench.gateway_speed import names
from bench.gateway_speed.candidate import (
    API_KEY,
    BODY_MB,
    KEY_ID,
    UPSTREAM_PORT,
    Candidate,
)
from bench.gateway_speed.programs import Programs
from infra.gateway_key import KEY_ID_HEADER
from twin.network import Network
from twin.parts.part import Part
from twin.paths import TwinPaths

WORKER_IS_READY = "Application startup complete."

_NGINX = Template("""\
daemon off;
user root;
worker_processes auto;
pid ${folder}/nginx.pid;
error_log stderr;
events {
	worker_connections 1024;
}
http {
	access_log ${folder}/access.log;
	client_body_temp_path ${folder}/body;
	proxy_temp_path ${folder}/proxy;
	fastcgi_temp_path ${folder}/fastcgi;
	uwsgi_temp_path ${folder}/uwsgi;
	scgi_temp_path ${folder}/scgi;
	map_hash_bucket_size 128;
	map $$http_authorization $$key_id {
		default "";
		"Bearer ${key}" ${key_id};
	}
	upstream model {
		server 127.0.0.1:${upstream};
		keepalive 64;
		keepalive_requests 1000000;
	}
	server {
		listen 127.0.0.1:${port};
		keepalive_requests 1000000;
		client_max_body_size ${body_mb}m;
		client_body_buffer_size 256k;
		location / {
			if ($$key_id = "") {
				return 401;
			}
			proxy_pass http://model;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_set_header ${header} $$key_id;
			proxy_request_buffering off;
			proxy_buffering off;
			proxy_read_timeout 300s;
		}
	}
}
""")

_HAPROXY = Template("""\
global
	maxconn 1000
	tune.bufsize 65536
	log stdout format raw local0
defaults
	mode http
	log global
	option httplog
	# Without it a stream's chunks wait for one another.
	option http-no-delay
	timeout connect 5s
	timeout client 300s
	timeout server 300s
frontend gateway
	bind 127.0.0.1:${port}
	acl known req.hdr(Authorization) -m str "Bearer ${key}"
	http-request deny deny_status 401 unless known
	http-request deny deny_status 413 if { req.hdr(Content-Length) -m int gt ${body_mb}000000 }
	http-request set-header ${header} ${key_id}
	default_backend model
backend model
	http-reuse always
	server home 127.0.0.1:${upstream}
""")


def _filled(template: Template, folder: Path, port: int) -> str:
    return template.substitute(
        folder=folder,
        port=port,
        upstream=UPSTREAM_PORT,
        key=API_KEY,
        key_id=KEY_ID,
        header=KEY_ID_HEADER,
        body_mb=BODY_MB,
    )


def nginx(network: Network, programs: Programs, folder: Path, port: int) -> Candidate:
    file = folder / "nginx.conf"
    file.write_text(_filled(_NGINX, folder, port))
    part = Part(
        name="nginx",
        argv=network.at("home", "nginx", "-e", "stderr", "-p", str(folder), "-c", str(file)),
        env=programs.debian.environment,
        is_ready=lambda: network.accepts("home", port),
    )
    return Candidate(names.NGINX, port, (part,))


def haproxy(network: Network, programs: Programs, folder: Path, port: int) -> Candidate:
    file = folder / "haproxy.cfg"
    file.write_text(_filled(_HAPROXY, folder, port))
    part = Part(
        name="haproxy",
        argv=network.at("home", "haproxy", "-W", "-f", str(file)),
        env=programs.debian.environment,
        is_ready=lambda: network.accepts("home", port),
    )
    return Candidate(names.HAPROXY, port, (part,))


def traefik(network: Network, folder: Path, port: int) -> Candidate:
    file = folder / "traefik.yaml"
    router = {
        "rule": f"Header(`Authorization`, `Bearer {API_KEY}`)",
        "service": "model",
        "middlewares": ["key-id"],
    }
    servers = [{"url": f"http://127.0.0.1:{UPSTREAM_PORT}"}]
    http = {
        "routers": {"gateway": router},
        "middlewares": {"key-id": {"headers": {"customRequestHeaders": {KEY_ID_HEADER: KEY_ID}}}},
        "services": {"model": {"loadBalancer": {"servers": servers}}},
    }
    file.write_text(yaml.safe_dump({"http": http}))
    part = Part(
        name="traefik",
        argv=network.at(
            *("home", "traefik", f"--entrypoints.web.address=127.0.0.1:{port}"),
            *(f"--providers.file.filename={file}", "--accesslog=true"),
            *("--global.checknewversion=false", "--global.sendanonymoususage=false"),
        ),
        is_ready=lambda: network.accepts("home", port),
    )
    return Candidate(names.TRAEFIK, port, (part,))


def litellm(
    network: Network, programs: Programs, paths: TwinPaths, port: int, workers: int
) -> Candidate:
    """Its proxy without a database, so with its master key only.

    It listens, and answers, before all its workers can.
    """
    log = paths.logs / f"litellm-{workers}.log"
    file, key = paths.root / f"litellm-{workers}.yaml", f"sk-{API_KEY}"
    model = {
        "model": "openai/vlm",
        "api_base": f"http://127.0.0.1:{UPSTREAM_PORT}/v1",
        "api_key": "none",
        "extra_headers": {KEY_ID_HEADER: KEY_ID},
    }
    file.write_text(
        yaml.safe_dump(
            {
                "model_list": [{"model_name": "vlm", "litellm_params": model}],
                "general_settings": {"master_key": key},
            }
        )
    )
    part = Part(
        name=f"litellm-{workers}",
        argv=network.at(
            *("home", str(programs.litellm / "bin" / "litellm"), "--config", str(file)),
            *("--host", "127.0.0.1", "--port", str(port), "--num_workers", str(workers)),
            # A busy machine imports it for longer than the 5 s that uvicorn gives a worker.
            *("--telemetry", "False", "--timeout_worker_healthcheck", "60"),
        ),
        env={
            "HOME": str(paths.root),
            # It would ask the Internet for prices at its start.
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        },
        is_ready=lambda: log.read_text(errors="replace").count(WORKER_IS_READY) == workers,
        seconds_to_ready=180,
    )
    name = names.LITELLM if workers == 1 else names.LITELLM_2
    return Candidate(name, port, (part,), key=key, is_slow=True)
