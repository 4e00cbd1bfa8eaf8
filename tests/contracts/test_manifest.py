"""What napari finds: the manifest, and that everything it names can be called as napari does."""

from __future__ import annotations

import importlib
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Image, Labels, Layer
from npe2 import PluginManager, PluginManifest
from npe2.manifest.contributions import CommandContribution

from embedscope.samples import jurkat_cells

ROOT = Path(__file__).parents[2]
PACKAGED = ROOT / "src" / "embedscope" / "napari.yaml"


@pytest.fixture(scope="module")
def manifest() -> PluginManifest:
    manifest = PluginManifest.from_file(PACKAGED)
    manifest.validate_imports()
    return manifest


def called(manifest: PluginManifest, command: str) -> object:
    """What a command's `python_name` names."""
    (found,) = [one for one in manifest.contributions.commands if one.id == command]
    module, name = found.python_name.split(":")
    return getattr(importlib.import_module(module), name)


def test_the_copy_at_the_root_is_the_packages_to_the_byte():
    assert (ROOT / "napari.yaml").read_bytes() == PACKAGED.read_bytes()


def test_what_is_installed_is_found_under_the_distributions_name():
    manifest = PluginManifest.from_distribution("embedscope")
    assert manifest.name == "embedscope"
    assert manifest.package_version == version("embedscope")


def test_npe2_finds_no_fault_in_what_is_installed():
    command = [sys.executable, "-m", "npe2", "validate", "embedscope"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_command_has_a_title_and_can_be_called(manifest):
    commands: list[CommandContribution] = manifest.contributions.commands
    assert len(commands) >= 4
    for command in commands:
        assert command.title
        assert callable(called(manifest, command.id)), command.id


def test_everything_contributed_is_a_command(manifest):
    known = {command.id for command in manifest.contributions.commands}
    contributed = manifest.contributions
    used = [
        *(one.command for one in contributed.widgets),
        *(one.command for one in contributed.readers),
        *(one.command for one in contributed.sample_data),
        *(item.command for items in contributed.menus.values() for item in items),
    ]
    assert set(used) <= known
    assert known <= set(used)


def test_the_dock_is_a_widget_and_in_the_menu_of_layers(manifest):
    from qtpy.QtWidgets import QWidget

    (widget,) = manifest.contributions.widgets
    assert widget.display_name == "Explore embedding"
    assert issubclass(called(manifest, widget.command), QWidget)
    (entry,) = manifest.contributions.menus["napari/layers/visualize"]
    assert entry.command == widget.command


def sample_layers(manifest: PluginManifest, key: str) -> tuple[list[Layer], Labels]:
    """The layers of a sample, and the one with the labels."""
    (sample,) = [one for one in manifest.contributions.sample_data if one.key == key]
    layers = [Layer.create(*data) for data in called(manifest, sample.command)()]
    (labels,) = [layer for layer in layers if isinstance(layer, Labels)]
    return layers, labels


@pytest.mark.parametrize("key", ["jurkat_cells", "nuclei"])
def test_sample_data_are_images_and_their_labels(manifest, key):
    layers, labels = sample_layers(manifest, key)
    assert {type(layer) for layer in layers} == {Image, Labels}
    assert {layer.data.shape for layer in layers} == {labels.data.shape}
    assert all(layer.metadata["licence"] and layer.metadata["source"] for layer in layers)
    assert labels.data.any()


def test_what_is_known_of_the_jurkat_cells_goes_by_label(manifest):
    _, labels = sample_layers(manifest, "jurkat_cells")
    assert set(labels.features["index"]) == set(np.unique(labels.data)) - {0}
    cells = jurkat_cells()
    for row in (0, 7, len(cells.label_ids) - 1):
        y, x = np.argwhere(labels.data == cells.label_ids[row])[0]
        said = labels.get_status((y, x), world=True)["value"]
        assert f"phase: {cells.phase_names[cells.phase[row]]}" in said


def test_the_ids_of_the_nuclei_start_again_in_each_field(manifest):
    _, labels = sample_layers(manifest, "nuclei")
    counts = [len(np.unique(field[field > 0])) for field in labels.data]
    assert sum(counts) == 311
    assert all(field.max() == count for field, count in zip(labels.data, counts, strict=True))


def test_the_reader_takes_sessions_and_nothing_else(manifest, tmp_path):
    from embedscope import Explorer
    from embedscope.samples import samples_from_array

    (reader,) = manifest.contributions.readers
    assert reader.accepts_directories
    read = called(manifest, reader.command)
    explorer = Explorer(samples_from_array(np.random.default_rng(0).random((12, 4))))
    explorer.place(np.random.default_rng(1).random((12, 2)).astype(np.float32))
    session = tmp_path / "session"
    explorer.save(session)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.tif").write_bytes(b"")
    assert callable(read(str(session)))
    for other in (tmp_path / "other", tmp_path / "other" / "a.tif", tmp_path / "absent"):
        assert read(str(other)) is None
    assert read([str(session), str(session)]) is None


def test_preferences_are_parameters_with_their_defaults_and_bounds(manifest):
    from embedscope.training import parameter_fields

    fields = {described.name: described for described in parameter_fields()}
    (group,) = manifest.contributions.configurations.values()
    for name, preference in group.properties.items():
        described = fields[name]
        assert preference.default == described.default
        if described.kind in ("int", "float"):
            assert (preference.minimum, preference.maximum) == (
                described.minimum,
                described.maximum,
            )


@pytest.mark.parametrize(
    ("name", "offered"), [("session.json", True), ("model.json", True), ("cells.tif", False)]
)
def test_napari_offers_the_reader_for_its_own_files_only(manifest, tmp_path, name, offered):
    """A reader of "*" would make napari ask, for every image, which plugin is to open it."""
    plugins = PluginManager()
    plugins.register(manifest)
    assert bool(list(plugins.iter_compatible_readers(str(tmp_path / name)))) is offered
    assert list(plugins.iter_compatible_readers(str(tmp_path)))
