"""Makes a wheel of torch that computes on CPU and needs nothing of NVIDIA's: cpuTorch.py <torch wheel> <folder>

The wheel of torch on the package index for Linux on x86 is linked against CUDA, and asks for about 4 GB of NVIDIA's
packages, which a test of CPU training has no use for. This one asks for none of them. Where the loader wants their
libraries it finds stand-ins whose functions all answer "no device", as on a machine without a GPU. For tests only: who
uses torch installs it as its makers say.
"""

import collections
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile

NVIDIA = re.compile(r"lib(cu|nv|nccl)")
UNVERSIONED = re.compile(r"(cu|nccl|nv)[a-zA-Z]")
BUILD = "1cpu"
NO_DEVICE = 100  # cudaErrorNoDevice and CUDA_ERROR_NO_DEVICE


def readelf(option: str, path: pathlib.Path) -> list[str]:
    return subprocess.run(["readelf", "-W", option, path], capture_output=True, text=True, check=True).stdout.splitlines()


def needs(libraries: list[pathlib.Path]) -> tuple[set[str], dict[str, dict[str, set[str]]], set[str]]:
    """Libraries that are wanted, functions wanted of each by their version, and functions without one."""
    wanted, versioned, plain = set(), collections.defaultdict(lambda: collections.defaultdict(set)), set()
    defined = set()
    for library in libraries:
        wanted |= {m[1] for line in readelf("-d", library) if (m := re.search(r"NEEDED.*\[(.*)\]", line))}
        owner, file = {}, ""
        for line in readelf("-V", library):
            if found := re.search(r"File: (\S+)", line):
                file = found[1]
            elif file and (found := re.search(r"Name: (\S+)\s+Flags", line)):
                owner[found[1]] = file
        for line in readelf("--dyn-syms", library):
            fields = line.split()
            if len(fields) < 8:
                continue
            name, _, version = fields[7].partition("@")
            version = version.lstrip("@")
            if fields[6] != "UND":
                defined.add(name)
            elif version in owner:
                versioned[owner[version]][version].add(name)
            elif UNVERSIONED.match(name):
                plain.add(name)
    return wanted, versioned, plain - defined


def stand_in(name: str, versions: dict[str, set[str]], extra: set[str], folder: pathlib.Path) -> None:
    functions = set().union(extra, *versions.values())
    answer = lambda function: 0 if function.startswith("__") else NO_DEVICE  # noqa: E731
    with tempfile.TemporaryDirectory() as work:
        source, script = pathlib.Path(work, "a.c"), pathlib.Path(work, "a.map")
        source.write_text("".join(f"long {f}(void){{return {answer(f)};}}\n" for f in sorted(functions)))
        script.write_text("".join(f"{v} {{ global: {'; '.join(sorted(fs))}; }};\n" for v, fs in versions.items()))
        options = [f"-Wl,--version-script={script}"] if versions else []
        command = ["gcc", "-shared", "-fPIC", "-w", "-fno-builtin", source, f"-Wl,-soname,{name}", *options, "-o", folder / name]
        subprocess.run(command, check=True)


def needs_cuda(line: str) -> bool:
    return bool(re.match(r"Requires-Dist: (cuda|nvidia|triton)", line))


def repack(wheel: pathlib.Path, target: pathlib.Path, stand_ins: pathlib.Path) -> None:
    """Stored, not deflated: it is read once, here."""
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename.endswith(".dist-info/METADATA"):
                content = "\n".join(line for line in content.decode().split("\n") if not needs_cuda(line)).encode()
            entry.compress_type = zipfile.ZIP_STORED
            new.writestr(entry, content)
        for path in sorted(stand_ins.iterdir()):
            new.write(path, f"torch/lib/{path.name}")


def main(wheel: pathlib.Path, folder: pathlib.Path) -> None:
    name, version, *tags = wheel.name.split("-")
    with tempfile.TemporaryDirectory() as work:
        with zipfile.ZipFile(wheel) as archive:
            libraries = [n for n in archive.namelist() if n.startswith("torch/lib/") and ".so" in n]
            archive.extractall(work, libraries)
        found = [pathlib.Path(work, library) for library in libraries]
        wanted, versioned, plain = needs(found)
        made = pathlib.Path(work, "made")
        made.mkdir()
        for library in sorted(wanted - {path.name for path in found}):
            if NVIDIA.match(library):
                stand_in(library, versioned[library], plain if library.startswith("libcublas.") else set(), made)
        repack(wheel, folder / "-".join([name, version, BUILD, *tags]), made)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
