"""The wheel: pip builds it from the sources and installs it into an environment of its own, which is then moved."""

import os
import pathlib
import re
import subprocess
import sys
import sysconfig
import zipfile
from email.parser import BytesParser

import pytest
from conftest import BIN, ROOT, sanitized_by, semblance
from packaging.requirements import Requirement


def cached(name):
    """What CMake found for the build that is tested."""
    return re.search(rf"^{name}:\w+=(.*)$", (BIN.parent / "CMakeCache.txt").read_text(), re.MULTILINE)[1]


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built with the LibTorch and the compiler of the build that is tested, by their names there: ccache has its objects."""
    if sanitized_by("asan", "tsan"):
        pytest.skip("the wheel is built without a sanitizer")
    folder = tmp_path_factory.mktemp("wheel")
    environment = {**os.environ, "Torch_DIR": cached("Torch_DIR"), "CC": cached("CMAKE_C_COMPILER"), "CXX": cached("CMAKE_CXX_COMPILER")}
    run(sys.executable, "-m", "pip", "wheel", ROOT, "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder, env=environment)
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """A fresh environment with the wheel, and with torch where pip would have put it: a link, since torch is large."""
    folder = tmp_path_factory.mktemp("environment") / "first"
    run(sys.executable, "-m", "venv", folder)
    run(folder / "bin/python", "-m", "pip", "install", "--no-deps", "--no-index", wheel)
    packages = pathlib.Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    (packages / "torch").symlink_to(pathlib.Path(cached("Torch_DIR")).parents[2])
    return folder


def test_the_wheel_is_for_any_python_3_and_asks_for_the_torch_it_was_built_with(wheel):
    assert re.fullmatch(r"semblance-[0-9.]+-py3-none-linux_\w+\.whl", wheel.name)
    with zipfile.ZipFile(wheel) as files:
        (metadata,) = [name for name in files.namelist() if name.endswith(".dist-info/METADATA")]
        told = BytesParser().parsebytes(files.read(metadata))
        assert not [name for name in files.namelist() if name.endswith((".h", ".a", ".cmake"))]
    version = semblance("version", "--json").json
    assert told["Version"] == version["semblance"]
    (torch,) = [Requirement(text) for text in told.get_all("Requires-Dist")]
    assert torch.name == "torch" and version["libtorch"] in torch.specifier


def test_the_program_runs_without_a_variable_and_where_its_environment_is_moved(environment, trained, opinions):
    expected = semblance("predict", trained, opinions).out
    version = semblance("version").out

    def answers(folder):
        kernels = [f"SEMBLANCE_KERNELS={os.environ['SEMBLANCE_KERNELS']}"] if "SEMBLANCE_KERNELS" in os.environ else []
        program = ["env", "-i", *kernels, folder / "bin/semblance"]
        assert run(*program, "version") == version
        assert run(*program, "predict", trained, opinions) == expected

    answers(environment)
    moved = environment.rename(environment.with_name("second"))
    try:
        answers(moved)
    finally:
        moved.rename(environment)


def test_no_library_is_taken_from_elsewhere_but_the_systems_own(environment):
    for program in ("semblance", "semblance-engine"):
        needed = set(re.findall(r"NEEDED.*\[(\S+)\.so", run(cached("CMAKE_READELF"), "-d", environment / "bin" / program)))
        assert needed <= {"libc", "libm", "libgcc_s", "libstdc++", "libz", "libgomp", "libtorch", "libtorch_cpu", "libc10", "libtorch_cuda", "libc10_cuda"}


def test_the_manual_and_the_completion_come_along(environment):
    for words, path in (
        (["manual"], "man/man1/semblance.1"),
        (["completion", "bash"], "bash-completion/completions/semblance"),
        (["completion", "zsh"], "zsh/site-functions/_semblance"),
        (["completion", "fish"], "fish/vendor_completions.d/semblance.fish"),
    ):
        assert (environment / "share" / path).read_text() == semblance(*words).out
    assert (environment / "share/semblance/jobs/sentiment.toml").exists()
