"""Run with `[onnx]`: the trained encoder, run by onnxruntime."""

import numpy as np
import onnxruntime
from sklearn.datasets import load_digits

from embedscope import ParametricUMAP

data = (load_digits().data[:400] / 16).astype(np.float32)
mapper = ParametricUMAP(random_state=0).fit(data)
mapper.to_onnx("encoder.onnx")
session = onnxruntime.InferenceSession("encoder.onnx")
(positions,) = session.run(None, {session.get_inputs()[0].name: data})
np.testing.assert_allclose(positions, mapper.transform(data), rtol=1e-3, atol=1e-3)
