"""The form that chooses the layers to embed, and how samples are cut from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psygnal import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from embedscope.napari_dock.data._data_choice import DataChoice, Kind
from embedscope.napari_dock.data._data_entries import check_list, checked, combo, fill_checks
from embedscope.napari_dock.data._keys_entries import KeysEntries
from embedscope.napari_dock.data._layer_features import (
    inferred_axis,
    is_points,
    numeric_features,
)
from embedscope.napari_dock.data._layer_keys import AUTOMATIC
from embedscope.napari_dock.data._layer_samples import CropOptions
from embedscope.napari_dock.data._manifest_entry import ManifestEntry
from embedscope.napari_dock.data._preview_panel import PreviewPanel
from embedscope.napari_dock.data._proxies import layer_class
from embedscope.samples import Learned

_BACKGROUNDS = {"kept": "keep", "black": "zero", "median of the background": "median"}
_AXES = {"choose: time or depth": "", "time": "t", "depth": "z"}
_DECLARED = {"t": "time, as the layer says", "z": "depth, as the layer says", "": next(iter(_AXES))}
_OF_FILES = "as the files say"
_LEARNED = {"pixels": False, "columns of the table": True}
_VOLUMES = {
    "maximum along z": "project",
    "mean along z": "mean",
    "middle plane of each object": "middle",
    "whole volumes": "volume",
}
_VOLUMES_TIP = (
    "What a sample of a volume is: a picture of it, or the volume itself, which is trained on with "
    "all its planes and takes longer. The middle plane of a patch is that of the image."
)
_SCALES = {"over all images": False, "within each image": True}
_SCALES_TIP = (
    "What becomes black and white: the range of the images trained on, or of each image by itself. "
    "Within each image evens out staining and exposure between images; then a cell is bright or "
    "dark among those of its own image only."
)
_LARGEST_PX = 1024


class DataPanel(QWidget):
    """Offers the layers of a viewer and the options for samples.

    Parameters
    ----------
    parent : QWidget, optional
    """

    changed = Signal()
    shown = Signal()  # after it was hidden or collapsed

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_showing = False
        self._layers: tuple[Any, ...] = ()
        self._measured: Any = None  # the layer whose columns are offered
        self._offered: list[str] = []
        self._axis_layer: Any = None  # the layer whose first axis is shown
        self.kind = combo([(kind.value, kind) for kind in Kind], "What a sample of the map is.")
        self.labels = combo([], "The labels layer whose objects become points of the map.")
        self.images = check_list("Image layers: each is a channel, or one layer with colours.")
        self.learned = combo(
            list(_LEARNED.items()),
            "What the map learns from: what the crops show, or columns of the layer's features or "
            "of a manifest's tables, such as measurements or deep features. Crops are shown and "
            "decoded all the same.",
        )
        self.columns = check_list("Columns of numbers that the map is trained on.")
        self.manifest = ManifestEntry()
        self.third_axis = combo(list(_AXES.items()), "What the first axis of the layer is.")
        self.volumes = combo(list(_VOLUMES.items()), _VOLUMES_TIP)
        self.keys = KeysEntries()
        self.crop_size, self.unit = self._size_entries()
        self.background = combo(
            list(_BACKGROUNDS.items()), "How pixels of a crop outside the object are filled."
        )
        self.scales = combo(list(_SCALES.items()), _SCALES_TIP)
        self.align = QCheckBox("Turn objects upright")
        self.align.setToolTip("Turn each crop so that the object's longest axis is vertical.")
        self.step = QSpinBox()
        self.step.setRange(1, _LARGEST_PX)
        self.step.setValue(32)
        self.step.setSuffix(" px")
        self.step.setToolTip("Distance between neighbouring patches.")
        self.preview = PreviewPanel()
        self._lay_out()
        self._connect()
        self._show_fitting()

    def show_layers(self, layers: Sequence[Any]) -> None:
        """Offer these layers; the choice is kept.

        Parameters
        ----------
        layers : sequence of napari.layers.Layer
        """
        chosen = self.choice()
        self._layers = tuple(layers)
        images = [layer for layer in layers if layer_class(layer) == "Image"]
        stay = [layer for layer in images if layer in chosen.images] or images
        self._is_showing = True
        fill_checks(self.images, [(layer.name, layer, layer in stay) for layer in images])
        self._is_showing = False
        self._offer_labels()
        self._show_fitting()
        if self.choice() != chosen:
            self.changed.emit()

    def choice(self) -> DataChoice:
        """The current choice: of layers, or of files, whatever layers there are."""
        kind = self.kind.currentData()
        is_of_files = kind is Kind.MANIFEST
        return DataChoice(
            kind=kind,
            labels=None if is_of_files else self.labels.currentData(),
            images=() if is_of_files else tuple(checked(self.images)),
            columns=tuple(checked(self.columns)),
            learns_from_columns=self._learns_from_columns,
            options=CropOptions(
                size_px=int(self.crop_size.value()) or None
                if self.unit.currentText() == "px"
                else None,
                size_um=self.crop_size.value() or None if self.unit.currentText() == "µm" else None,
                background=self.background.currentData(),
                align=self.align.isChecked(),
                third_axis=self.third_axis.currentData(),
                volume=self.volumes.currentData(),
                scales_within=self.scales.currentData(),
            ),
            patch_px=int(self.crop_size.value()) or 32,
            step_px=self.step.value(),
            keys=AUTOMATIC if is_of_files else self.keys.keys,
            manifest=self.manifest.path if is_of_files else "",
        )

    def scale_within(self) -> None:
        """Choose that intensities are scaled within each image."""
        self.scales.setCurrentIndex(self.scales.findData(True))

    def showEvent(self, event: Any) -> None:
        """Emit `shown`."""
        super().showEvent(event)
        self.shown.emit()

    def _size_entries(self) -> tuple[QDoubleSpinBox, QComboBox]:
        size = QDoubleSpinBox()
        size.setRange(0, _LARGEST_PX)
        size.setDecimals(0)
        size.setSpecialValueText("automatic")
        size.setToolTip(
            "Side of a crop. Automatic: the smallest that holds 95 % of the objects, drawn with at "
            "most 64 pixels. In µm: the same for layers of any scale."
        )
        unit = combo([("px", "px"), ("µm", "µm")], "Unit of the crop's side.")
        unit.setMinimumContentsLength(3)
        unit.currentTextChanged.connect(lambda text: size.setDecimals(0 if text == "px" else 2))
        return size, unit

    def _lay_out(self) -> None:
        size = QHBoxLayout()
        size.addWidget(self.crop_size, 1)
        size.addWidget(self.unit)
        self._size_row = QWidget()
        self._size_row.setLayout(size)
        size.setContentsMargins(0, 0, 0, 0)
        self._form = QFormLayout()
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._titles: dict[QWidget, QLabel] = {}
        rows: tuple[tuple[str, QWidget], ...] = (
            ("Embed", self.kind),
            ("Manifest", self.manifest),
            ("Labels", self.labels),
            ("Images", self.images),
            ("Objects by", self.keys.label),
            ("Frames by", self.keys.frame),
            ("", self.keys.only_named),
            ("Learn from", self.learned),
            ("Columns", self.columns),
            ("First axis", self.third_axis),
            ("Volumes", self.volumes),
            ("Size", self._size_row),
            ("Background", self.background),
            ("Intensities", self.scales),
            ("", self.align),
            ("Step", self.step),
        )
        for text, entry in rows:
            self._titles[entry] = QLabel(text)
            self._form.addRow(self._titles[entry], entry)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._form)
        layout.addWidget(self.preview)

    def _connect(self) -> None:
        self.kind.currentIndexChanged.connect(lambda _: self._offer_labels())
        self.labels.currentIndexChanged.connect(lambda _: self._show_columns())
        for entry in (
            self.kind,
            self.labels,
            self.learned,
            self.third_axis,
            self.volumes,
            self.unit,
            self.background,
            self.scales,
        ):
            entry.currentIndexChanged.connect(self._tell)
        self.crop_size.valueChanged.connect(self._tell)
        self.step.valueChanged.connect(self._tell)
        for several in (self.images, self.columns):
            several.itemChanged.connect(self._tell)
        self.align.toggled.connect(self._tell)
        self.keys.changed.connect(self._on_keys)
        self.manifest.changed.connect(self._on_keys)

    def _tell(self, *_: Any) -> None:
        if not self._is_showing:
            self._show_fitting()
            self.changed.emit()

    def _offer_labels(self) -> None:
        """Offer the layers that have samples of the chosen kind; the choice is kept."""
        kinds = ("Labels", "Points") if self.kind.currentData() is Kind.FEATURES else ("Labels",)
        offered = [layer for layer in self._layers if layer_class(layer) in kinds]
        chosen, was_showing = self.labels.currentData(), self._is_showing
        self._is_showing = True
        self.labels.clear()
        for layer in offered:
            self.labels.addItem(layer.name, layer)
        if chosen in offered:
            self.labels.setCurrentIndex(offered.index(chosen))
        self._is_showing = was_showing
        self._show_columns()

    def _show_columns(self) -> None:
        """Offer the numeric features of the chosen layer, and follow their changes."""
        layer = self.labels.currentData()
        self.keys.offer(None if layer is None or is_points(layer) else layer)
        if layer is not self._measured:
            if self._measured is not None:
                self._measured.events.features.disconnect(self._on_measured)
            if layer is not None:
                layer.events.features.connect(self._on_measured)
            self._measured, self._offered = layer, []
        offered = numeric_features(layer, self.keys.keys)
        if self.kind.currentData() is Kind.MANIFEST:
            offered = self.manifest.columns
        if offered == self._offered:
            return
        left_out = set(self._offered) - set(checked(self.columns))
        was_showing, self._is_showing = self._is_showing, True
        fill_checks(self.columns, [(name, name, name not in left_out) for name in offered])
        self._offered, self._is_showing = offered, was_showing

    def _on_keys(self) -> None:
        self._show_columns()
        self._tell()

    def _on_measured(self, event: object = None) -> None:
        before = self.choice()
        self._show_columns()
        self._show_fitting()
        if self.choice() != before:
            self._tell()

    def _show_fitting(self) -> None:
        """Show only the entries that apply to the chosen kind."""
        choice = self.choice()
        objects, patches = choice.kind is Kind.OBJECTS, choice.kind is Kind.PATCHES
        features, files = choice.kind is Kind.FEATURES, choice.kind is Kind.MANIFEST
        layer = choice.layer
        self._show_axis(choice)
        for entry, is_shown in (
            (self.manifest, files),
            (self.labels, objects or features),
            (self.images, objects or patches),
            (self.keys.label, (objects or features) and self.keys.is_offered),
            (self.keys.frame, (objects or features) and self.keys.has_frames),
            (self.keys.only_named, objects and self.keys.is_offered),
            (self.learned, (objects or files) and bool(self._offered)),
            (self.columns, features or choice.learns_from_columns),
            (self.third_axis, files or (layer is not None and layer.ndim == 3)),
            (self.volumes, not features and self._has_depth(choice)),
            (self._size_row, not features),
            (self.background, objects or files),
            (self.scales, not features),
            (self.align, objects or files),
            (self.step, patches),
        ):
            entry.setVisible(is_shown)
            self._titles[entry].setVisible(is_shown)
        self._titles[self.labels].setText("Layer" if features else "Labels")
        self.unit.setEnabled(objects or files)

    @property
    def _learns_from_columns(self) -> bool:
        is_of_objects = self.kind.currentData() in (Kind.OBJECTS, Kind.MANIFEST)
        return is_of_objects and bool(self._offered) and bool(self.learned.currentData())

    def show_learned(self, learned: Learned | None) -> None:
        """Show what the samples of an opened session learn from, if the layer has these columns.

        Parameters
        ----------
        learned : Learned or None
        """
        has_columns = learned is not None and set(learned.names) <= set(self._offered)
        if learned is None or not has_columns or learned.kind != "columns":
            return
        was_showing, self._is_showing = self._is_showing, True
        fill_checks(self.columns, [(each, each, each in learned.names) for each in self._offered])
        self.learned.setCurrentIndex(self.learned.findData(True))
        self._is_showing = was_showing
        self._tell()

    def _has_depth(self, choice: DataChoice) -> bool:
        """Whether the layer is known to have depth, or the user says that files have it."""
        layer = choice.layer
        if choice.kind is Kind.MANIFEST:
            return choice.options.third_axis == "z"
        if layer is None or layer.ndim < 3:
            return False
        axis = choice.options.third_axis or inferred_axis(layer, choice.keys)
        return layer.ndim > 3 or axis == "z"

    def _show_axis(self, choice: DataChoice) -> None:
        """Show what the layer says about its first axis; another layer resets the entry."""
        layer = choice.layer
        axis = "" if layer is None or layer.ndim != 3 else inferred_axis(layer, choice.keys)
        was_showing, self._is_showing = self._is_showing, True
        is_of_files = choice.kind is Kind.MANIFEST
        self.third_axis.setItemText(0, _OF_FILES if is_of_files else _DECLARED[axis])
        if layer is not self._axis_layer:
            self._axis_layer = layer
            self.third_axis.setCurrentIndex(0)
        self._is_showing = was_showing
