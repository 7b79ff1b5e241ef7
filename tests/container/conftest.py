"""Images built and run for real, on the engine DOCKER_HOST names; skipped where none answers.

No registry of images is asked: the base is the one FOIDEX_TEST_BASE names, else one made of this
machine's Debian packages, and the server is the core image.
"""

from __future__ import annotations

import gc
import os
import re
import secrets
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import docker
import pytest
from docker import DockerClient
from docker.errors import DockerException
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.image import DockerImage
from testcontainers.core.network import Network
from testcontainers.core.wait_strategies import HttpWaitStrategy

from tests.support.paths import ROOT

# The reaper is an image of a registry; here every container and image is removed where it is made.
testcontainers_config.ryuk_disabled = True

# What the machine trusts, the base trusts, so that a build reaches what the machine reaches.
TRUSTED = "/etc/ssl/certs/ca-certificates.crt"

LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")

ALIAS = "elasticsearch"

PASSWORD = secrets.token_urlsafe(16)


class Ran(NamedTuple):
    """How a container ended, and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def engine() -> Iterator[DockerClient]:
    client = connected()
    if client is None:
        pytest.skip("no Docker engine answers; DOCKER_HOST names one")
    yield client
    client.close()


@pytest.fixture(scope="session")
def base(engine: DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image like python:slim."""
    if named := os.environ.get("FOIDEX_TEST_BASE"):
        yield named
        return
    if os.geteuid() != 0 or not shutil.which("mmdebstrap"):
        pytest.skip("a base image takes root and mmdebstrap; FOIDEX_TEST_BASE names another")
    archive = tmp_path_factory.mktemp("base") / "base.tar"
    suite = re.findall(
        r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.MULTILINE
    )[0]
    subprocess.run(
        [
            "mmdebstrap",
            "--quiet",
            "--variant=essential",
            "--include=ca-certificates,curl,libstdc++6,passwd,python3-venv",
            "--dpkgopt=force-unsafe-io",
            *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT),
            f"--customize-hook=copy-in {TRUSTED} {Path(TRUSTED).parent}",
            suite,
            str(archive),
        ],
        check=True,
    )
    engine.api.import_image_from_file(
        str(archive),
        repository="foidex-test-base",
        changes=[f"ENV PIP_CERT={TRUSTED} REQUESTS_CA_BUNDLE={TRUSTED}"],
    )
    archive.unlink()
    yield "foidex-test-base"
    if "FOIDEX_TEST_KEEP" not in os.environ:
        engine.images.remove("foidex-test-base", force=True)


def connected() -> DockerClient | None:
    """A client of the engine; None where none answers."""
    try:
        return docker.from_env(timeout=600)
    except DockerException:
        pass
    # The client leaves the socket open with which it found nobody.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    return None


def built(dockerfile: str, tag: str, base: str) -> DockerImage:
    return DockerImage(
        path=ROOT,
        dockerfile_path=f"docker/{dockerfile}",
        tag=tag,
        buildargs={"BASE": base},
        network_mode="host",
        forcerm=True,
        clean_up="FOIDEX_TEST_KEEP" not in os.environ,
        docker_client_kw={"timeout": 600},
    )


@pytest.fixture(scope="session")
def image(base: str) -> Iterator[str]:
    """The foidex image."""
    with built("Dockerfile", "foidex-test", base):
        yield "foidex-test"


@pytest.fixture(scope="session")
def core(base: str) -> Iterator[str]:
    """The image of the core server."""
    with built("Dockerfile.core", "foidex-test-core", base):
        yield "foidex-test-core"


@pytest.fixture(scope="session")
def network(engine: DockerClient) -> Iterator[Network]:
    assert engine  # which Network finds for itself
    with Network() as made:
        yield made


@pytest.fixture(scope="session")
def server(core: str, network: Network) -> Iterator[DockerContainer]:
    """The core server, in a container that Testcontainers starts."""
    container = (
        DockerContainer(core, mem_limit="1g")
        .with_env("ELASTIC_PASSWORD", PASSWORD)
        .with_env("discovery.type", "single-node")
        .with_network(network)
        .with_network_aliases(ALIAS)
        .with_exposed_ports(9200)
        .waiting_for(
            HttpWaitStrategy(9200, "/_cluster/health?wait_for_status=yellow")
            .with_basic_credentials("elastic", PASSWORD)
            .with_startup_timeout(180)
        )
    )
    with container:
        yield container


@pytest.fixture
def environment(server: DockerContainer) -> dict[str, str]:
    """How foidex reaches the server in the containers' own network."""
    assert server.get_wrapped_container()
    return {
        "FOIDEX_URL": f"http://{ALIAS}:9200",
        "FOIDEX_USER": "elastic",
        "FOIDEX_PASSWORD": PASSWORD,
        "FOIDEX_INDEX": f"test-{secrets.token_hex(4)}",
    }


@pytest.fixture
def foidex(
    engine: DockerClient, image: str, network: Network, environment: dict[str, str]
) -> Callable[..., Ran]:
    """Run the image as docs/operating.md says: read-only and without rights."""

    def run(*arguments: str, mounts: dict[Path, str] | None = None, **options: Any) -> Ran:
        return run_to_its_end(
            engine,
            image,
            *arguments,
            **{
                "environment": environment,
                "network": network.name,
                "volumes": bound(mounts or {}),
                "read_only": True,
                "tmpfs": {"/tmp": ""},
                "cap_drop": ["ALL"],
                "security_opt": ["no-new-privileges:true"],
                "mem_limit": "512m",
                **options,
            },
        )

    return run


def bound(mounts: dict[Path, str]) -> dict[str, dict[str, str]]:
    """The mounts as the engine takes them, none to be written to."""
    return {str(path): {"bind": inside, "mode": "ro"} for path, inside in mounts.items()}


def run_to_its_end(engine: DockerClient, image: str, *arguments: str, **options: Any) -> Ran:
    """Run a container of the image, and remove it with its volumes."""
    container = engine.containers.create(image, list(arguments), **options)
    try:
        container.start()
        code = container.wait(timeout=120)["StatusCode"]
        out = container.logs(stderr=False).decode()
        return Ran(code, out, container.logs(stdout=False).decode())
    finally:
        container.remove(force=True, v=True)
