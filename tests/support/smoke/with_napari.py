"""Run with `[napari]`: the dock opens from the menu, cuts the cells of a sample and trains."""

import subprocess
import sys
import time

import napari
from qtpy.QtWidgets import QApplication

command = [sys.executable, "-m", "npe2", "validate", "embedscope"]
subprocess.run(command, check=True, timeout=100)
viewer = napari.Viewer()
viewer.open_sample("embedscope", "nuclei")
_, dock = viewer.window.add_plugin_dock_widget("embedscope", "Explore embedding")
dock.explorer.set_parameters(n_neighbors=5, n_training_epochs=1, encoder="dense")
QApplication.processEvents()
dock.view.train_panel.train.click()
end = time.monotonic() + 200
while not dock.explorer.status.phase.is_finished:
    assert time.monotonic() < end, dock.view.message.text()
    QApplication.processEvents()
    time.sleep(0.01)
assert dock.explorer.status.phase.value == "done", dock.view.message.text()
assert len(dock.explorer.embedding.positions) > 50
viewer.close()
