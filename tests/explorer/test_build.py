"""The set-up of the assets: what is locked, what is checked, and that the second run does nothing."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.assets import DIST, FONTS, HERE, build, node
from app.assets.node import AssetsError, Node


def test_the_lock_names_no_registry_and_pins_every_package() -> None:
    """Each package has its integrity hash and no address, so any registry serves and none can change it."""
    packages = json.loads((HERE / "package-lock.json").read_text("utf-8"))["packages"]
    del packages[""]
    assert len(packages) > 100
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    unpinned = [
        name for name, entry in packages.items() if not entry.get("integrity", "").startswith("sha512-")
    ]
    assert [name for name in unpinned if not packages[name].get("inBundle")] == []


def test_the_lock_is_of_the_package_file() -> None:
    """What package.json asks for, exactly, is what the lock holds."""
    wanted = json.loads((HERE / "package.json").read_text("utf-8"))
    packages = json.loads((HERE / "package-lock.json").read_text("utf-8"))["packages"]
    for name, version in {**wanted["dependencies"], **wanted["devDependencies"]}.items():
        assert packages[f"node_modules/{name}"]["version"] == version


def test_every_font_is_there_with_its_hash_and_licence() -> None:
    """The fonts of documents are the pinned files, and the Open Font License lies beside each family."""
    fonts = build.font_files()
    assert [(font.family, font.weight) for font in fonts][:2] == [("Inter", 400), ("Inter", 600)]
    assert len({(font.family, font.weight) for font in fonts}) == len(fonts), "one file for each description"
    for font in fonts:
        assert hashlib.sha256((FONTS / font.name).read_bytes()).hexdigest() == font.sha256
        licence = FONTS / f"{font.family.replace(' ', '')}-OFL.txt"
        assert "SIL Open Font License" in licence.read_text("utf-8")


def test_the_licences_of_the_bundle_are_shipped_with_it() -> None:
    """The list of bundled packages names those the page is made of."""
    text = (DIST / "LICENSES.md").read_text("utf-8")
    assert [
        name for name in ("graphiql", "monaco-editor", "react", "graphql") if f"## {name} - " not in text
    ] == []


def test_the_second_run_does_nothing() -> None:
    """A build that is current is left alone, in any number of runs."""
    before = {path: path.stat().st_mtime_ns for folder in (DIST, FONTS) for path in folder.iterdir()}
    done = subprocess.run(
        [sys.executable, "-m", "app.assets.build"],
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "assets: up to date\n"
    assert {path: path.stat().st_mtime_ns for folder in (DIST, FONTS) for path in folder.iterdir()} == before


def test_a_changed_input_or_a_missing_file_makes_a_build_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stamp covers all inputs by content and all results by size."""
    assert not build.is_current("another digest")
    assert build.is_current(build.digest_of_inputs())

    stamp = json.loads((DIST / "stamp.json").read_text("utf-8"))
    stamp["files"]["fonts/Missing.ttf"] = 1
    monkeypatch.setattr(build, "STAMP", tmp_path / "stamp.json")
    assert not build.is_current(stamp["inputs"]), "no stamp at all"
    build.STAMP.write_text(json.dumps(stamp), "utf-8")
    assert not build.is_current(stamp["inputs"]), "a file of the result is missing"


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ((20, 18, 9), False),
        ((20, 19, 0), True),
        ((21, 7, 0), False),
        ((22, 11, 0), False),
        ((22, 12, 0), True),
        ((24, 0, 0), True),
    ],
)
def test_node_must_satisfy_what_vite_asks(version: node.Version, *, fits: bool) -> None:
    """The range of the locked vite: 20.19 and later 20s, then 22.12 and everything after."""
    assert node.required_range() == "^20.19.0 || >=22.12.0"
    assert node.satisfies(version, node.required_range()) is fits


def test_an_old_node_on_the_path_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Node of the environment's wheel takes its place; with none left, the error names what was found."""
    old = Node(Path("/usr/bin/node"), ("npm",), (18, 20, 4))
    monkeypatch.setattr(node, "_node_on_path", lambda: old)
    assert node.find_node().version >= (22, 12, 0)

    monkeypatch.setattr(node, "find_spec", lambda _name: None)
    with pytest.raises(
        AssetsError, match=r"needs Node\.js .* found: 18\.20\.4 at /usr/bin/node.*make install"
    ):
        node.find_node()


def test_a_font_with_other_bytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that brings another file than the pinned one stops the set-up, naming both hashes."""
    font = build.font_files()[0]
    changed = tmp_path / "node_modules" / font.package / font.path
    changed.parent.mkdir(parents=True)
    changed.write_bytes(b"another font")
    monkeypatch.setattr(build, "PACKAGES", tmp_path / "node_modules")
    monkeypatch.setattr(build, "FONTS", tmp_path / "fonts")
    with pytest.raises(AssetsError, match=font.sha256):
        build._copy_fonts()
    assert list((tmp_path / "fonts").iterdir()) == []


def test_a_failing_npm_is_reported_with_its_words_and_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    """What npm said last is shown, with what to do; npm here is a real command that fails."""
    broken = Node(
        Path(sys.executable), (sys.executable, "-c", "raise SystemExit('no route to host')"), (24, 0, 0)
    )
    with pytest.raises(
        AssetsError, match=r"(?s)failed \(exit 1\).*no route to host.*registry can be reached"
    ):
        build._install(broken)
