"""The estimator: the interface of a parametric map, by scikit-learn's conventions.

Parameters are stored as given and checked in `fit`; fitted attributes end in an underscore.
TensorFlow is imported by the first `fit` or load, not before.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from embedscope._errors import InvalidInputError, InvalidTypeError
from embedscope.core._landmarks import Landmarks, choose_rows
from embedscope.core._lazy_transform import (
    BlockPlacer,
    columns_of,
    in_order,
    is_lazy_frame,
    place_lazily,
)
from embedscope.core._parameters import check_parameters
from embedscope.core._pickling import (
    check_networks,
    check_no_distribution,
    check_watchers,
    uncopied_watchers,
    warn_left_out,
)
from embedscope.core.arrays._numbers import check_dimensions
from embedscope.core.arrays._rows import Rows, as_rows
from embedscope.core.arrays._shapes import check_layout, sample_shape
from embedscope.core.arrays._sources import is_lazy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from embedscope.core.fitting._request import FittedMap
    from embedscope.core.networks._forward import Forward
    from embedscope.core.networks._jacobian import Jacobian

_MOST_ANCHORS = 2_000  # samples that are stored for `update`
_NETWORK_PARAMETERS = ("encoder", "decoder")
TRAINED_NETWORKS = (*_NETWORK_PARAMETERS, "style_encoder", "spread_decoder")


class _Network:
    """A constructor parameter whose attribute gives the trained network after `fit`.

    Users of umap-learn read `embedder.encoder` after `fit`. scikit-learn requires the given value,
    which `get_params` still returns.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, estimator: Any, owner: type | None = None) -> Any:
        if estimator is None:
            return self
        fitted = estimator.__dict__.get(f"{self._name}_")
        return fitted if fitted is not None else estimator.__dict__[self._name]

    def __set__(self, estimator: Any, value: Any) -> None:
        estimator.__dict__[self._name] = value


class ParametricUMAP(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Uniform manifold approximation and projection by a neural network.

    A Keras network, the encoder, learns the map from data to a few dimensions, so that new data get
    positions in the same coordinates; a second one, the decoder, can learn the inverse. Names,
    meanings and defaults are those of ``umap.parametric_umap.ParametricUMAP``.

    Parameters
    ----------
    n_neighbors : int, default=15
        Neighbours of each sample, itself included; at least 2. Reduced, with a warning, if there
        are too few samples. Few neighbours show fine structure, many the global structure.
    n_components : int, default=2
        Dimensions of the map.
    metric : str or callable, default="euclidean"
        Distance between samples: any metric of scikit-learn or pynndescent, a function of two
        vectors, or "precomputed" with `precomputed_distances` given to `fit`.
    metric_kwds : dict, optional
        Further arguments of the metric.
    min_dist : float, default=0.1
        Distance on the map, in map units, up to which two samples have the full similarity: how
        close neighbours may lie. 0 or more, at most `spread`.
    spread : float, default=1.0
        Scale of the map, in map units; above 0. Beyond `min_dist`, the similarity falls by a factor
        of e over this distance.
    a, b : float, optional
        Similarity curve ``1 / (1 + a d^2b)``; fitted to `min_dist` and `spread` by default.
    n_epochs : int, optional
        Passes over the graph: of the layout (300 up to 10,000 samples, else 200), or in solver
        "edges" how often a full-strength edge is sampled (500 or 200).
    learning_rate : float, default=1.0
        Step of the layout.
    init : {"spectral", "pca", "random"} or array of shape (n_samples, n_components), \
default="spectral"
        Initial positions of the layout.
    negative_sample_rate : int, default=5
        Negative samples for each edge.
    repulsion_strength : float, default=1.0
        Weight of the repulsion.
    set_op_mix_ratio : float, default=1.0
        1 combines both directions of an edge by fuzzy union, 0 by intersection.
    local_connectivity : float, default=1.0
        Number of neighbours connected with full strength.
    precomputed_knn : tuple of (indices, distances), optional
        Neighbours of the training samples, arrays of shape (n_samples, at least n_neighbors).
    target_metric : str or callable, default="categorical"
        "categorical" if `y` holds labels (numbers or text), else the metric that compares numeric
        targets. A label that is -1, "-1", None, NaN or masked is unknown.
    target_metric_kwds : dict, optional
    target_weight : float, default=0.5
        0 favours the data, 1 separates by `y` entirely.
    target_n_neighbors : int, default=-1
        Neighbours in a numeric target; -1 takes `n_neighbors`.
    densmap : bool, default=False
        Keep dense regions dense (densMAP).
    dens_lambda, dens_frac, dens_var_shift : float, default=2.0, 0.3, 0.1
        Weight of the density term, share of the epochs it acts in, and its stabiliser.
    unique : bool, default=False
        Train on distinct rows only, each with the label of its first occurrence; `graph_` then
        holds only these.
    max_graph_samples : int, default=1_000_000
        If there are more samples, this many are drawn at random. Graph, layout and training use
        only these (`graph_` holds them, in their order), and the encoder places the others. All
        samples are used without an encoder, and where neighbours or distances are given.
    n_jobs : int, default=-1
        Threads of the searches by scikit-learn and pynndescent; -1 for all.
    low_memory, angular_rp_forest : bool
        Passed on to pynndescent.
    random_state : int, numpy.random.RandomState or None, default=None
        With an int, repeated fits on the same machine agree to the last bit. No global seed is set
        or used.
    encoder : None, "reference" or keras.Model, default=None
        None is a network of 6 x 128 units with relu; "reference" is the network of 3 x 100 units in
        umap-learn's documentation. A network of your own is copied, with its weights, and the copy
        is trained. After `fit` this attribute is the trained network; `get_params` returns the
        given one.
    decoder : keras.Model, optional
        Gives samples of the data's shape. Without a final activation its output is taken as logits
        if the loss is cross entropy. A copy of it is trained, as with `encoder`.
    dims : tuple of int, optional
        Shape of one sample for the networks, for instance (28, 28, 1). By default the input shape
        of `encoder`, or the data's own. X may be flattened or in this shape.
    parametric_embedding : bool, default=True
        False optimises a free table of positions by the same objective, without an encoder.
    parametric_reconstruction : bool, default=False
        Train a decoder.
    parametric_reconstruction_loss_fcn : callable, optional
        ``loss(y_true, y_pred)`` of the unchanged data and the unchanged output of the decoder. By
        default cross entropy for data within 0..1, and squared error on standardised data
        otherwise.
    parametric_reconstruction_loss_weight : float, default=1.0
    autoencoder_loss : bool, default=False
        The encoder minimises the reconstruction loss too; otherwise only the decoder does.
    reconstruction_validation : array, optional
        Samples whose reconstruction loss is reported as "val_reconstruction_loss".
    n_style_components : int, default=0
        Numbers in the style code, which describes how a sample differs from the typical sample of
        its position on the map. The decoder then takes a position and a code. Without a code it
        decodes the typical sample of the position, with a sample's own code that sample. It trains
        separately from the encoder, by squared error. A decoder of your own takes
        ``n_components + n_style_components`` numbers.
    validation_fraction : float, default=0.0
        Share of the samples, at most 2,000, that the decoder does not learn from. Their loss is in
        the history, and their deviation from the typical samples in `inverse_std`. The encoder
        learns from all samples.
    global_correlation_loss_weight : float, default=0.0
        Weight of the correlation of distances in the data and in the map.
    landmark_loss_fn : callable, optional
        ``loss(wanted, positions)``, a value for each row; Euclidean distance by default.
    landmark_loss_weight : float, default=1.0
        0 lets landmarks move.
    solver : {"auxiliary", "edges"}, default="auxiliary"
        The method of auxiliary coordinates, or batches of edges as in umap-learn's documentation.
    quality : {"balanced", "fast", "best"}, default="balanced"
        "fast" trains for half as long as "balanced", "best" four times as long. "best" is better
        from about 10,000 samples; docs/parameters.md has the measured differences.
    batch_size : int, optional
        Samples in one optimiser step (by default 256, at most a quarter of the samples), or edges
        for solver "edges" (by default 1000, at most the number of samples).
    n_training_epochs : int, default=1
        1 is the standard schedule; larger values train proportionally longer.
    loss_report_frequency : int, default=10
        Entries of the history for each training epoch.
    optimizer : keras.Optimizer or str, optional
        By default Adam with a learning rate of 1e-3 that falls towards the end. The rate of a given
        optimiser is not changed.
    keras_fit_kwargs : dict, optional
        ``callbacks``: Keras callbacks, which get every batch and an epoch for each entry of the
        history. Its logs hold the losses of that entry, with "val_loss" for
        "val_reconstruction_loss" if samples are held out. Smaller is better for all losses, so
        ``mode`` is not needed. Callbacks may stop the training. Their ``model`` is the encoder,
        followed by the decoder of positions if there is one. ``verbose``: overrides `verbose`.
    distribution : tf.distribute.MirroredStrategy, optional
        Train on several devices of this machine, which share each batch; see Notes. Not stored with
        the map.
    progress : callable, optional
        ``progress(report)`` is called after every few batches with a frozen `Report`: phase,
        fraction, epoch, losses, and ``report.embedding()`` for the current map. A true return
        value or an exception stops the training; the networks keep what they have learned.
    verbose : bool, default=False
        Show one progress bar; otherwise nothing is printed.

    Attributes
    ----------
    embedding_ : ndarray of shape (n_samples, n_components), float32
        The map of the training samples: the encoder's output for them.
    graph_ : csr_matrix of shape (n_samples, n_samples), float32
        Membership strengths.
    encoder_, decoder_ : keras.Model or None
        The trained networks.
    style_encoder_ : keras.Model or None
        Gives the style code of a sample.
    validation_rows_ : ndarray of int
        Rows of X that the decoder did not learn from, ascending.
    history_ : dict of str to list of float
        "loss" is UMAP's cross entropy of the encoder's output on a fixed sample of edges,
        "reconstruction_loss" the decoder's loss. With style codes or held-out samples this is the
        squared error of typical samples as a share of that of the mean sample: 1 explains
        nothing. "style_reconstruction_loss" is the same with each sample's own code. A name that
        starts with "val_" is the loss of held-out samples. "regularization_loss" is the sum of the
        losses that regularisers and `add_loss` of the layers add.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Exists if X was a frame with column names.

    Notes
    -----
    With `distribution` each device computes the gradient of its part of a batch, and the sum is
    applied once, as on one device. Terms over several samples of a batch (negative samples of the
    solver "edges", `global_correlation_loss_weight`, the mean over landmarks, batch normalisation)
    see only the part on their device. The graph, the layout and a decoder that trains separately
    use one device. The trained networks are plain Keras networks.

    References
    ----------
    Sainburg, McInnes and Gentner, "Parametric UMAP embeddings for representation and
    semisupervised learning", Neural Computation 33 (2021), doi:10.1162/neco_a_01434.
    McInnes, Healy and Melville, "UMAP: Uniform manifold approximation and projection for dimension
    reduction" (2018), arXiv:1802.03426.
    Carreira-Perpiñán and Vladymyrov, "A fast, universal algorithm to learn parametric nonlinear
    embeddings", Advances in Neural Information Processing Systems 28 (2015): the solver
    "auxiliary".
    Narayan, Berger and Cho, "Assessing single-cell transcriptomic variability through
    density-preserving data visualization", Nature Biotechnology 39 (2021),
    doi:10.1038/s41587-020-00801-7: `densmap`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from embedscope import ParametricUMAP
    >>> X, y = load_digits(return_X_y=True)
    >>> embedder = ParametricUMAP(random_state=0).fit(X / 16)
    >>> embedder.embedding_.shape
    (1797, 2)
    """

    encoder = _Network("encoder")
    decoder = _Network("decoder")
    _landmarks: Landmarks | None
    _anchors: Landmarks
    _decoded_shape: tuple[int, ...] | None = None

    def __init__(
        self,
        n_neighbors: int = 15,
        *,
        n_components: int = 2,
        metric: str | Callable[..., float] = "euclidean",
        metric_kwds: Mapping[str, Any] | None = None,
        min_dist: float = 0.1,
        spread: float = 1.0,
        a: float | None = None,
        b: float | None = None,
        n_epochs: int | None = None,
        learning_rate: float = 1.0,
        init: Any = "spectral",
        negative_sample_rate: int = 5,
        repulsion_strength: float = 1.0,
        set_op_mix_ratio: float = 1.0,
        local_connectivity: float = 1.0,
        precomputed_knn: Any = None,
        target_metric: str | Callable[..., float] = "categorical",
        target_metric_kwds: Mapping[str, Any] | None = None,
        target_weight: float = 0.5,
        target_n_neighbors: int = -1,
        densmap: bool = False,
        dens_lambda: float = 2.0,
        dens_frac: float = 0.3,
        dens_var_shift: float = 0.1,
        unique: bool = False,
        max_graph_samples: int = 1_000_000,
        n_jobs: int = -1,
        low_memory: bool = True,
        angular_rp_forest: bool = False,
        random_state: Any = None,
        encoder: Any = None,
        decoder: Any = None,
        dims: Sequence[int] | None = None,
        parametric_embedding: bool = True,
        parametric_reconstruction: bool = False,
        parametric_reconstruction_loss_fcn: Callable[[Any, Any], Any] | None = None,
        parametric_reconstruction_loss_weight: float = 1.0,
        autoencoder_loss: bool = False,
        reconstruction_validation: Any = None,
        n_style_components: int = 0,
        validation_fraction: float = 0.0,
        global_correlation_loss_weight: float = 0.0,
        landmark_loss_fn: Callable[[Any, Any], Any] | None = None,
        landmark_loss_weight: float = 1.0,
        solver: str = "auxiliary",
        quality: str = "balanced",
        batch_size: int | None = None,
        n_training_epochs: int = 1,
        loss_report_frequency: int = 10,
        optimizer: Any = None,
        keras_fit_kwargs: Mapping[str, Any] | None = None,
        distribution: Any = None,
        progress: Callable[[Any], Any] | None = None,
        verbose: bool = False,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.n_components = n_components
        self.metric = metric
        self.metric_kwds = metric_kwds
        self.min_dist = min_dist
        self.spread = spread
        self.a = a
        self.b = b
        self.n_epochs = n_epochs
        self.learning_rate = learning_rate
        self.init = init
        self.negative_sample_rate = negative_sample_rate
        self.repulsion_strength = repulsion_strength
        self.set_op_mix_ratio = set_op_mix_ratio
        self.local_connectivity = local_connectivity
        self.precomputed_knn = precomputed_knn
        self.target_metric = target_metric
        self.target_metric_kwds = target_metric_kwds
        self.target_weight = target_weight
        self.target_n_neighbors = target_n_neighbors
        self.densmap = densmap
        self.dens_lambda = dens_lambda
        self.dens_frac = dens_frac
        self.dens_var_shift = dens_var_shift
        self.unique = unique
        self.max_graph_samples = max_graph_samples
        self.n_jobs = n_jobs
        self.low_memory = low_memory
        self.angular_rp_forest = angular_rp_forest
        self.random_state = random_state
        self.encoder = encoder
        self.decoder = decoder
        self.dims = dims
        self.parametric_embedding = parametric_embedding
        self.parametric_reconstruction = parametric_reconstruction
        self.parametric_reconstruction_loss_fcn = parametric_reconstruction_loss_fcn
        self.parametric_reconstruction_loss_weight = parametric_reconstruction_loss_weight
        self.autoencoder_loss = autoencoder_loss
        self.reconstruction_validation = reconstruction_validation
        self.n_style_components = n_style_components
        self.validation_fraction = validation_fraction
        self.global_correlation_loss_weight = global_correlation_loss_weight
        self.landmark_loss_fn = landmark_loss_fn
        self.landmark_loss_weight = landmark_loss_weight
        self.solver = solver
        self.quality = quality
        self.batch_size = batch_size
        self.n_training_epochs = n_training_epochs
        self.loss_report_frequency = loss_report_frequency
        self.optimizer = optimizer
        self.keras_fit_kwargs = keras_fit_kwargs
        self.distribution = distribution
        self.progress = progress
        self.verbose = verbose

    # -- fitting ---------------------------------------------------------------------------------

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        decoded: Any = None,
        precomputed_distances: Any = None,
        landmark_positions: Any = None,
    ) -> ParametricUMAP:
        """Learn the map of `X`.

        Starts with new networks, unless the estimator is fitted already and has landmarks, given
        here or by `add_landmarks`: then the trained networks and the history are continued.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, *dims)
            numpy array, memmap, scipy sparse matrix, pandas or polars frame, Arrow table, zarr
            array, h5py dataset, `X` of a backed AnnData, dask array or frame, or any other object
            that numpy reads, such as a tensor in main memory; finite. Large arrays are read in
            blocks and never converted as a whole.
        y : array-like of shape (n_samples,), optional
            Labels, -1 or None where unknown, or numbers: see `target_metric`.
        decoded : array-like of shape (n_samples, ...), optional
            What the decoder learns to decode of each sample, such as its picture; by default, `X`
            itself. It has no influence on the map, unless ``autoencoder_loss=True``.
        precomputed_distances : array or sparse matrix of shape (n_samples, n_samples), optional
            Distances between the samples, with ``metric="precomputed"``.
        landmark_positions : array-like of shape (n_samples, n_components), optional
            Positions that samples should keep; NaN for those that may move.

        Returns
        -------
        ParametricUMAP
            The estimator itself.

        Raises
        ------
        InvalidInputError
            If a parameter or an array breaks a rule; a ValueError.
        StoppedError
            If `progress` asked to stop before the first batch; a RuntimeError.
        """
        parameters = check_parameters(self.get_params(deep=False))
        given = X.to_dask_array(lengths=True) if is_lazy_frame(X) else X
        rows = as_rows(given, sample_shape(self.dims, self.__dict__["encoder"]), least=2)
        features = _features_of(
            columns_of(X), rows
        )  # set after the fit: a failed one must change nothing
        targets = self._read_decoded(decoded, rows)
        wanted = self._check_beside(rows, precomputed_distances, landmark_positions)
        landmarks = getattr(self, "_landmarks", None)
        continues = hasattr(self, "_fitted") and (wanted is not None or landmarks is not None)
        interruption = self._run(
            rows,
            self._check_targets(y, len(rows)),
            precomputed_distances,
            wanted,
            landmarks if continues else None,
            continues=continues,
            parameters=parameters,
            decoded=targets,
        )
        self._set_features(features)
        if interruption is not None:
            raise interruption
        return self

    def fit_transform(
        self,
        X: Any,
        y: Any = None,
        *,
        decoded: Any = None,
        precomputed_distances: Any = None,
        landmark_positions: Any = None,
    ) -> np.ndarray:
        """Learn the map of `X` and return it; see `fit`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, *dims)
        y : array-like of shape (n_samples,), optional
        decoded : array-like of shape (n_samples, ...), optional
        precomputed_distances : array or sparse matrix of shape (n_samples, n_samples), optional
        landmark_positions : array-like of shape (n_samples, n_components), optional

        Returns
        -------
        ndarray of shape (n_samples, n_components), float32

        Raises
        ------
        InvalidInputError, StoppedError
            As for `fit`.
        """
        self.fit(
            X,
            y,
            decoded=decoded,
            precomputed_distances=precomputed_distances,
            landmark_positions=landmark_positions,
        )
        return self.embedding_

    def update(self, X_new: Any, y: Any = None) -> ParametricUMAP:
        """Learn new data without moving the old map.

        Up to 2,000 of the earlier training samples, which are part of the model and saved with it,
        keep their positions while the networks learn `X_new`. `embedding_` and `graph_` are then
        those of `X_new`; the history is continued.

        Parameters
        ----------
        X_new : array-like of shape (n_samples, n_features) or (n_samples, *dims)
            Should hold more samples than `n_neighbors` if they are of a new kind; otherwise a few
            are enough.
        y : array-like of shape (n_samples,), optional

        Returns
        -------
        ParametricUMAP
            The estimator itself.

        Raises
        ------
        NotFittedError
            If `fit` was not called before; a ValueError.
        InvalidInputError
            If there is no encoder, or `X_new` does not fit the fitted data; a ValueError.
        StoppedError
            If `progress` asked to stop before the first batch; a RuntimeError.
        """
        check_is_fitted(self)
        self._need_encoder("update")
        if self._decoded_shape is not None:
            raise InvalidInputError(
                "update must be of a map that decodes X itself; got one that was fitted with "
                "decoded. Fit all samples together, or place the new ones with transform."
            )
        if self.metric == "precomputed":
            raise InvalidInputError(
                "metric must be computed for update; got 'precomputed', which does not give the "
                "distances between old and new samples. Set another metric."
            )
        parameters = check_parameters(self.get_params(deep=False))
        read = self._read_rows(X_new)
        # inverse_transform still returns the shape that fit was given.
        rows = Rows(read.flat, self._sample_shape, self._given_shape)
        interruption = self._run(
            rows,
            self._check_targets(y, len(rows)),
            None,
            None,
            self._anchors,
            continues=True,
            parameters=parameters | {"precomputed_knn": None, "landmark_loss_weight": 1.0},
        )
        if interruption is not None:
            raise interruption
        return self

    def _run(
        self,
        rows: Rows,
        y: np.ndarray | None,
        precomputed_distances: Any,
        wanted: np.ndarray | None,
        landmarks: Landmarks | None,
        *,
        continues: bool,
        parameters: Mapping[str, Any],
        decoded: Rows | None = None,
    ) -> BaseException | None:
        """Train and store the result; return the exception that interrupted it, to raise again."""
        from embedscope.core.fitting._fitting import fit_map
        from embedscope.core.fitting._request import Request

        seed = self._draw_seed()
        joined = rows
        if landmarks is not None:
            joined, wanted = landmarks.append_to(rows, wanted)
            y = _pad_unknown(y, len(joined), parameters["target_metric"])
        request = Request(
            parameters,
            joined,
            y,
            precomputed_distances,
            wanted,
            self._fitted if continues else None,
            self._read_validation(rows),
            seed,
            len(rows),
            decoded,
        )
        fitted, interruption = fit_map(request)
        self._keep(fitted, rows, seed, landmarks, None if decoded is None else decoded.given_shape)
        return interruption

    def _keep(
        self,
        fitted: FittedMap,
        rows: Rows,
        seed: int,
        landmarks: Landmarks | None,
        decoded_shape: tuple[int, ...] | None,
    ) -> None:
        """Store the result of a fit, with the landmarks for `update`."""
        rng = np.random.default_rng([seed, 3])
        own = Landmarks(rows, fitted.embedding).thinned(_MOST_ANCHORS, rng)
        if landmarks is not None and landmarks is self._anchors:
            joined, positions = own.append_to(landmarks.rows, landmarks.positions)
            own = Landmarks(joined, positions).thinned(_MOST_ANCHORS, rng)
        chosen = getattr(self, "_landmarks", None)
        self._restore(fitted, own, rows.shape, rows.given_shape, chosen, decoded_shape)

    def _restore(
        self,
        fitted: FittedMap,
        anchors: Landmarks,
        sample_shape: tuple[int, ...],
        given_shape: tuple[int, ...],
        landmarks: Landmarks | None = None,
        decoded_shape: tuple[int, ...] | None = None,
    ) -> None:
        """Set the fitted attributes; after a fit, or from a saved model."""
        self._fitted = fitted
        self._forward: dict[str, Forward] = {}
        self._derivative: Jacobian | None = None
        self._anchors, self._landmarks = anchors, landmarks
        self._sample_shape, self._given_shape = sample_shape, given_shape
        self._decoded_shape = decoded_shape  # None if samples themselves are decoded
        self.embedding_ = fitted.embedding
        self.graph_ = fitted.graph
        self.history_ = fitted.history
        self.encoder_, self.decoder_ = fitted.encoder, fitted.decoder
        self.style_encoder_, self.spread_decoder_ = fitted.style_encoder, fitted.spread
        self.validation_rows_ = fitted.held_out

    def _draw_seed(self) -> int:
        """A seed from `random_state`, without a global generator."""
        from sklearn.utils import check_random_state

        if self.random_state is None:
            return int(np.random.SeedSequence().generate_state(1)[0] >> 1)
        if isinstance(self.random_state, np.random.Generator):
            return int(self.random_state.integers(2**31 - 1))
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    # -- using the map ---------------------------------------------------------------------------

    def transform(self, X: Any) -> Any:
        """Map samples by the trained encoder.

        A row's position depends on this row only, not on the other rows of `X`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, *dims)
            A dask array or frame gives a lazy dask array, of the same chunks; columns of a frame
            are found by name. Arrays on disk (memmap, zarr, h5py, backed AnnData) are read block by
            block.

        Returns
        -------
        ndarray or dask array of shape (n_samples, n_components), float32

        Raises
        ------
        InvalidInputError
            If `X` does not fit the fitted data, or a value is not finite: the message names the
            rows, of a dask array the chunk. A lazy array raises it when it is computed.
        """
        check_is_fitted(self)
        self._need_encoder("transform")
        if is_lazy_frame(X):
            X = in_order(X, getattr(self, "feature_names_in_", None)).to_dask_array()
        if not is_lazy(X):
            return self._network("encoder")(self._read_rows(X, check_when_read=True))
        check_dimensions(X.shape, "X")
        self._check_sample(X.shape[1:], "X")
        forward, n_components = self._network("encoder"), self._n_features_out
        return place_lazily(
            X, BlockPlacer(self.encoder_, forward, self._sample_shape, n_components)
        )

    def inverse_transform(self, Z: Any, style: Any = None) -> np.ndarray:
        """Decode points of the map to samples by the trained decoder.

        Parameters
        ----------
        Z : array-like of shape (n_points, n_components)
            Map coordinates.
        style : array-like of shape (n_points, n_style_components), optional
            Style codes from `style`. With its own code, a sample is reconstructed at its own
            position, and carried over to any other point. Without codes, the typical sample of each
            point is decoded.

        Returns
        -------
        ndarray of shape (n_points, n_features) or (n_points, *shape), float32
            In the shape that `fit` was given, of `decoded` if it had one, and in the data's own
            range and units.

        Raises
        ------
        InvalidInputError
            If there is no decoder, `Z` or `style` has another width or is not finite, or there are
            no style codes.
        """
        check_is_fitted(self)
        reconstruction = self._fitted.reconstruction
        if self.decoder_ is None or reconstruction is None:
            raise InvalidInputError(
                "parametric_reconstruction must be True for inverse_transform; got False. Set it, "
                "and fit again."
            )
        points = self._read_points(Z)
        joined = self._with_style(points, style)
        samples = reconstruction.to_data(self._network("decoder")(joined))
        return samples.reshape(len(points), *self._output_shape)

    def style(self, X: Any, decoded: Any = None) -> np.ndarray:
        """Style codes: how samples differ from the typical samples of their positions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, *dims)
            As for `transform`; a dask array is computed, a group of chunks at a time.
        decoded : array-like of shape (n_samples, ...), optional
            What the decoder decodes of these samples, if `fit` was given it.

        Returns
        -------
        ndarray of shape (n_samples, n_style_components), float32
            Style codes for `inverse_transform`; each number has a mean of about 0 and a standard
            deviation of about 1.

        Raises
        ------
        InvalidInputError
            If there are no style codes, or `X` or `decoded` does not fit the fitted data; a
            ValueError.
        """
        check_is_fitted(self)
        self._need_style()
        rows = self._read_rows(X, check_when_read=self._decoded_shape is None)
        return self._network("style_encoder")(self._joined(rows, decoded))

    def inverse_std(self, Z: Any) -> np.ndarray:
        """Standard deviation of unseen samples around the typical sample, at points of the map.

        Parameters
        ----------
        Z : array-like of shape (n_points, n_components)
            Map coordinates.

        Returns
        -------
        ndarray of the shape of ``inverse_transform(Z)``, float32
            Standard deviation of each value around the result of `inverse_transform`, in the data's
            units. It is right on average for the held-out samples, and smooth over the map. The
            encoder has seen these; other samples may deviate more where it learned from few.

        Raises
        ------
        InvalidInputError
            If no sample was held out (``validation_fraction=0``), or `Z` has another width or is
            not finite; a ValueError.
        """
        check_is_fitted(self)
        if self.spread_decoder_ is None or self._fitted.reconstruction is None:
            raise InvalidInputError(
                "validation_fraction must be above 0 for inverse_std; got "
                f"{self.validation_fraction}. Set it, 0.1 for instance, and fit again."
            )
        points = self._read_points(Z)
        variance = np.maximum(self._network("spread_decoder")(points), 0.0)
        deviations = np.sqrt(variance) * self._fitted.reconstruction.scale
        return deviations.reshape(len(points), *self._output_shape).astype(np.float32, copy=False)

    @property
    def _output_shape(self) -> tuple[int, ...]:
        """Shape of one decoded sample."""
        return self._given_shape if self._decoded_shape is None else self._decoded_shape

    def _read_points(self, Z: Any) -> Rows:
        """Check points of the map."""
        points = as_rows(Z, name="Z")
        if len(points.given_shape) != 1:
            raise InvalidInputError(
                f"Z must be an array of two axes, a row of coordinates for each point; got shape "
                f"{(len(points), *points.given_shape)}. Use Z.reshape(len(Z), -1)."
            )
        if points.n_features != self._n_features_out:
            raise InvalidInputError(
                f"Z must have n_components={self._n_features_out} columns; got "
                f"{points.n_features}. Give coordinates of the map."
            )
        return points

    @property
    def _n_style(self) -> int:
        """Numbers in a style code of the trained networks."""
        return 0 if self.style_encoder_ is None else int(self.style_encoder_.output_shape[-1])

    def _need_style(self) -> None:
        if not self._n_style:
            raise InvalidInputError(
                "n_style_components must be above 0 for style codes; got 0. Set it, 32 for "
                "instance, and fit again."
            )

    def _with_style(self, points: Rows, style: Any) -> Rows:
        """Points followed by their style codes; by default zeros, the empty code."""
        n_style = self._n_style
        if style is not None:
            self._need_style()
            codes = as_rows(style, name="style")
            if (len(codes), codes.n_features) != (len(points), n_style):
                raise InvalidInputError(
                    f"style must be of shape ({len(points)}, {n_style}), a code for each point; "
                    f"got {(len(codes), codes.n_features)}. Take the codes from the method style."
                )
            values = codes.whole()
        else:
            values = np.zeros((len(points), n_style), dtype=np.float32)
        if not n_style:
            return points
        joined = np.concatenate([points.whole(), values], axis=1)
        return Rows(joined, joined.shape[1:], joined.shape[1:])

    def encoder_jacobian(self, X: Any) -> np.ndarray:
        """Derivative of the map's coordinates by each value of the samples, at these samples.

        It shows how far, and in which direction, a sample moves on the map when one of its values
        changes slightly.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, *dims)
            As for `transform`; a dask array is computed, a group of chunks at a time.

        Returns
        -------
        ndarray of shape (n_samples, n_components, *shape), float32
            In map units per unit of the data; `shape` is that of one sample as `fit` was given it.
            Entry ``[i, c, j]`` is ``d z[i, c] / d X[i, j]``. `n_components` times as large as `X`.

        Raises
        ------
        InvalidInputError
            If there is no encoder (``parametric_embedding=False``), `X` does not fit the fitted
            data, or a layer of the encoder has no finite derivative; a ValueError.

        Notes
        -----
        Exact up to float32, by reverse-mode automatic differentiation, a few samples at a time.
        """
        check_is_fitted(self)
        self._need_encoder("encoder_jacobian")
        derivatives = self._jacobian(self._read_rows(X, check_when_read=True))
        return derivatives.reshape(*derivatives.shape[:2], *self._given_shape)

    @property
    def _jacobian(self) -> Jacobian:
        """The encoder's derivative as a fast function, made at first use."""
        from embedscope.core.networks._jacobian import Jacobian

        if self._derivative is None:
            self._derivative = Jacobian(self.encoder_)
        return self._derivative

    def _network(self, name: str) -> Forward:
        """The trained network as a fast function, made at first use."""
        from embedscope.core.networks._forward import Forward

        if name not in self._forward:
            self._forward[name] = Forward(getattr(self, f"{name}_"))
        return self._forward[name]

    def _need_encoder(self, method: str) -> None:
        if not self.parametric_embedding:
            raise InvalidInputError(
                f"parametric_embedding must be True for {method}; got False, which learns a table "
                "of positions and no network. Set it to True, and fit again."
            )

    # -- landmarks -------------------------------------------------------------------------------

    def add_landmarks(
        self,
        X: Any,
        sample_pct: float = 0.01,
        sample_mode: str = "uniform",
        landmark_loss_weight: float = 0.01,
        idx: Any = None,
        reset_optimizer: bool = True,
    ) -> None:
        """Let some samples keep their positions in the next `fit`, which continues the training.

        `update` does this by itself; here the landmarks can be chosen.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, *dims)
            Data that the map was trained on.
        sample_pct : float, default=0.01
            Share of the samples that become landmarks.
        sample_mode : {"uniform", "predefined"}, default="uniform"
            Choose them at random, or by `idx`.
        landmark_loss_weight : float, default=0.01
            New value of the constructor parameter.
        idx : sequence of int, optional
            Row numbers of the landmarks.
        reset_optimizer : bool, default=True
            No effect; accepted as in umap-learn. Every fit starts with a new optimiser.

        Raises
        ------
        NotFittedError
            If `fit` was not called before; a ValueError.
        InvalidInputError
            If there is no encoder, `X` does not fit the fitted data, or the choice of samples
            breaks a rule; a ValueError.
        """
        check_is_fitted(self)
        self._need_encoder("add_landmarks")
        rows = self._read_rows(X)
        rng = np.random.default_rng(self._draw_seed())
        chosen = choose_rows(len(rows), sample_pct, sample_mode, idx, rng)
        held = rows.subset(chosen)
        self.landmark_loss_weight = landmark_loss_weight
        self._landmarks = Landmarks(held, self._network("encoder")(held))

    def remove_landmarks(self) -> None:
        """Remove the landmarks of `add_landmarks`: the next `fit` starts with new networks."""
        self._landmarks = None

    # -- files and pictures ----------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the trained map as a directory, without pickle; see `load_ParametricUMAP`.

        An existing model is replaced at one instant: even after a crash, `path` holds the complete
        old model or the complete new one.

        Parameters
        ----------
        path : str or path
            Directory; made if it is missing.

        Raises
        ------
        NotFittedError
            If `fit` was not called before; a ValueError.
        InvalidInputError
            If `path` is a file, or a folder that holds something else; a ValueError.
        OSError
            If the model cannot be written.
        """
        check_is_fitted(self)
        from embedscope.core._persistence import save_estimator

        save_estimator(self, path)

    def to_onnx(self, path: str | os.PathLike[str], network: str = "encoder") -> Path:
        """Export a trained network as ONNX, checked against onnxruntime to 1e-5.

        A network trained in mixed precision is exported in float32, and checked against the same
        weights in float32.

        Parameters
        ----------
        path : str or path
            File to write.
        network : {"encoder", "decoder", "style_encoder", "spread_decoder"}, default="encoder"
            The decoder is exported without output scaling: it gives logits if the loss is cross
            entropy, and standardised samples with style codes or held-out samples. It takes a point
            of the map followed by the style code. "spread_decoder" gives variances of standardised
            samples.

        Returns
        -------
        Path
            The file written.

        Raises
        ------
        NotFittedError
            If `fit` was not called before; a ValueError.
        InvalidInputError
            If the map has no such network; a ValueError.
        MissingDependencyError
            If the extra ``embedscope[onnx]`` is not installed; an ImportError.
        """
        check_is_fitted(self)
        if network not in TRAINED_NETWORKS or getattr(self, f"{network}_") is None:
            raise InvalidInputError(
                f"network must be one of {', '.join(TRAINED_NETWORKS)}, and trained; got "
                f"{network!r}. Set parametric_reconstruction=True to train a decoder, "
                "n_style_components for style codes, and validation_fraction for the spread."
            )
        self._need_encoder("to_onnx")
        from embedscope.core.export._onnx import export_onnx

        return export_onnx(getattr(self, f"{network}_"), path)

    to_ONNX = to_onnx  # umap-learn's name

    def plot_loss(self, ax: Axes | None = None) -> Axes:
        """Plot every loss of the history.

        Parameters
        ----------
        ax : matplotlib axes, optional

        Returns
        -------
        matplotlib axes

        Raises
        ------
        NotFittedError
            If `fit` was not called before; a ValueError.
        """
        check_is_fitted(self)
        from embedscope.core._plots import plot_loss

        return plot_loss(self.history_, ax)

    def plot(self, ax: Axes | None = None, labels: Any = None) -> Axes:
        """Plot the map of the training samples.

        Parameters
        ----------
        ax : matplotlib axes, optional
        labels : array-like of shape (n_samples,), optional
            Classes, or numbers for a continuous colour.

        Returns
        -------
        matplotlib axes

        Raises
        ------
        NotFittedError
            If `fit` was not called before; a ValueError.
        InvalidInputError
            If there is not one label for each sample; a ValueError.
        """
        check_is_fitted(self)
        from embedscope.core._plots import plot_map

        return plot_map(self.embedding_, ax, labels)

    # -- scikit-learn ----------------------------------------------------------------------------

    @property
    def _history(self) -> dict[str, list[float]]:
        """umap-learn's name of `history_`."""
        return self.history_

    @property
    def parametric_model(self) -> Any:
        """umap-learn's name of the trained networks as one: encoder, and decoder if there is one.

        A keras.Model from samples to positions, or to positions and the decoder's output for them;
        None before `fit`, and without an encoder.
        """
        if getattr(self, "encoder_", None) is None or not self.parametric_embedding:
            return None
        from embedscope.core.decoder._style_networks import with_empty_code
        from embedscope.core.networks._networks import one_model

        decoder = self.decoder_
        if decoder is not None:
            decoder = with_empty_code(decoder, self._n_features_out)
        return one_model(self.encoder_, decoder)

    @property
    def _n_features_out(self) -> int:
        return int(self.embedding_.shape[1])

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Constructor parameters as given, also the networks, not the trained ones.

        With `parametric_reconstruction` and no loss given, data within 0..1 are reconstructed by
        cross entropy, other data by squared error on standardised values.

        Parameters
        ----------
        deep : bool, default=True
            No effect: no parameter is an estimator.

        Returns
        -------
        dict
        """
        parameters = super().get_params(deep=False)
        return parameters | {name: self.__dict__[name] for name in _NETWORK_PARAMETERS}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float32"]  # a map is float32 for every dtype of X
        tags.non_deterministic = self.random_state is None
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_fitted")

    def __copy__(self) -> ParametricUMAP:
        copied = type(self).__new__(type(self))
        copied.__dict__.update(self.__dict__)
        return copied

    def __sklearn_clone__(self) -> Any:
        parameters = self.get_params(deep=False)
        check_networks(parameters)
        check_watchers(parameters)
        return super().__sklearn_clone__()

    def __deepcopy__(self, memo: dict[int, Any]) -> ParametricUMAP:
        copied = type(self).__new__(type(self))
        memo[id(self)] = copied
        copied.__setstate__(copy.deepcopy(self._state(by_name=False), memo))
        return copied

    def __getstate__(self) -> dict[str, Any]:
        return self._state(by_name=True)

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        left_out = state.pop("_left_out", [])
        super().__setstate__(state)
        warn_left_out(left_out)

    def _state(self, *, by_name: bool) -> dict[str, Any]:
        """The state for a copy, or for a pickle, which finds functions `by_name`."""
        state = dict(super().__getstate__())
        check_networks(state)
        if "_fitted" not in state:
            check_watchers(state)
            if by_name:
                check_no_distribution(state)
            return state
        left_out = uncopied_watchers(state, by_name=by_name)
        state.update(dict.fromkeys(left_out))
        # Traced functions cannot be stored; they are made again at first use.
        return state | {"_forward": {}, "_derivative": None, "_left_out": left_out}

    # -- reading arrays --------------------------------------------------------------------------

    def _set_features(self, features: dict[str, Any]) -> None:
        self.__dict__.pop("feature_names_in_", None)
        self.__dict__.update(features)

    def _read_rows(self, X: Any, name: str = "X", *, check_when_read: bool = False) -> Rows:
        """Check `X`, flattened or in shape, against the fitted data."""
        given = X
        if is_lazy_frame(X):
            X = in_order(X, getattr(self, "feature_names_in_", None))
            given = X.to_dask_array(lengths=True)
        rows = as_rows(given, name=name, check_when_read=check_when_read)
        self._check_sample(rows.given_shape, name)
        if len(rows.given_shape) == 1:
            _check_names(self, columns_of(X), name, reset=False)
        return Rows(rows.flat, self._sample_shape, rows.given_shape)

    def _check_sample(self, shape: tuple[int, ...], name: str) -> None:
        """Check the shape of one sample against the fitted data."""
        n_features = int(np.prod(shape))
        if n_features != self.n_features_in_:
            raise InvalidInputError(
                f"{name} has {n_features} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input. Give the features that fit was given."
            )
        check_layout(shape, self._sample_shape, name)

    def _read_decoded(self, decoded: Any, rows: Rows) -> Rows | None:
        """Check what the decoder decodes, if it is given, against the other parameters."""
        if decoded is None:
            return None
        if not self.parametric_reconstruction:
            raise InvalidInputError(
                "decoded must come with parametric_reconstruction=True; got False, which trains no "
                "decoder. Set it, or leave decoded out."
            )
        unsuited = {
            "unique": self.unique,
            "reconstruction_validation": self.reconstruction_validation is not None,
            "global_correlation_loss_weight": self.global_correlation_loss_weight,
        }
        for name in (name for name, is_set in unsuited.items() if is_set):
            raise InvalidInputError(
                f"decoded must come without {name}; got both. Leave one of them out."
            )
        if getattr(self, "_landmarks", None) is not None:
            raise InvalidInputError(
                "decoded must come without landmarks, of which only X is known; got both. Call "
                "remove_landmarks first."
            )
        targets = as_rows(decoded, name="decoded")
        if len(targets) != len(rows):
            raise InvalidInputError(
                f"decoded must have a row for each of the {len(rows)} samples of X; got "
                f"{len(targets)}. Give both in the same order."
            )
        return targets

    def _joined(self, rows: Rows, decoded: Any) -> Rows:
        """The input of the style encoder: samples, followed by what is decoded of them."""
        shape = self._decoded_shape
        if (decoded is None) != (shape is None):
            raise InvalidInputError(
                f"decoded must be {'left out' if shape is None else 'given'} for this map; got "
                f"{'an array' if shape is None else 'None'}. Give it to style if fit was given it."
            )
        if shape is None:
            return rows
        targets = as_rows(decoded, name="decoded")
        if (len(targets), *targets.given_shape) != (len(rows), *shape):
            raise InvalidInputError(
                f"decoded must be of shape {(len(rows), *shape)}; got "
                f"{(len(targets), *targets.given_shape)}. Give what fit was given of these samples."
            )
        both = np.concatenate([_dense(rows), _dense(targets)], axis=1)
        return Rows(both, both.shape[1:], both.shape[1:])

    def _read_validation(self, rows: Rows) -> Rows | None:
        if self.reconstruction_validation is None:
            return None
        if not self.parametric_embedding:
            raise InvalidInputError(
                "reconstruction_validation must come with parametric_embedding=True; got False, "
                "which learns no network for other samples. Leave one of them out."
            )
        validation = as_rows(self.reconstruction_validation, name="reconstruction_validation")
        if validation.n_features != rows.n_features:
            raise InvalidInputError(
                f"reconstruction_validation must have the {rows.n_features} features of X; got "
                f"{validation.n_features}. Give samples of the same kind."
            )
        if self.validation_fraction:
            raise InvalidInputError(
                "reconstruction_validation must be None where samples of X are held out; got an "
                f"array and validation_fraction={self.validation_fraction}. Leave one of them out."
            )
        check_layout(validation.given_shape, rows.shape, "reconstruction_validation")
        return Rows(validation.flat, rows.shape, validation.given_shape)

    def _check_targets(self, y: Any, n_samples: int) -> np.ndarray | None:
        if y is None:
            return None
        from embedscope.core.graph._targets import check_targets

        return check_targets(y, n_samples, categorical=self.target_metric == "categorical")

    def _check_beside(
        self, rows: Rows, precomputed_distances: Any, landmark_positions: Any
    ) -> np.ndarray | None:
        """Check the other arguments of `fit`; returns the landmark positions."""
        from embedscope.core._landmarks import check_positions

        if (self.metric == "precomputed") != (precomputed_distances is not None):
            given = "none" if precomputed_distances is None else "some"
            raise InvalidInputError(
                "precomputed_distances must be given with metric='precomputed', and only then; got "
                f"{given} with metric={self.metric!r}. The samples themselves go in X, which the "
                "network learns from."
            )
        if landmark_positions is None:
            return None
        return check_positions(landmark_positions, len(rows), self.n_components)


def _dense(rows: Rows) -> np.ndarray:
    """All rows, flat and dense."""
    return rows.take(slice(None)).reshape(len(rows), -1)


def _features_of(X: Any, rows: Rows) -> dict[str, Any]:
    """Number and names of the features, as scikit-learn's attributes."""
    reader = BaseEstimator()
    if len(rows.given_shape) == 1:
        _check_names(reader, X, "X", reset=True)
    return {**vars(reader), "n_features_in_": rows.n_features}


def _check_names(estimator: BaseEstimator, X: Any, name: str, *, reset: bool) -> None:
    """Let scikit-learn read the names of columns, or compare them with those in `fit`."""
    duplicated = getattr(getattr(X, "columns", None), "duplicated", None)  # of pandas
    if duplicated is not None and duplicated().any():
        twice = ", ".join(map(repr, X.columns[duplicated()].unique()))
        raise InvalidInputError(
            f"{name} must have a different name for each column; got {twice} more than once. "
            f"Rename those columns, or give {name}.to_numpy()."
        )
    try:
        validate_data(estimator, X, skip_check_array=True, reset=reset)
    except (TypeError, ValueError) as error:
        kind = InvalidTypeError if isinstance(error, TypeError) else InvalidInputError
        raise kind(
            f"{name} must have columns whose names are text, the same ones as in fit and in the "
            f"same order; got others. {error}"
        ) from error


def _pad_unknown(y: np.ndarray | None, length: int, target_metric: Any) -> np.ndarray | None:
    """Pad labels with -1 for landmarks, which have none. A numeric target has no such value."""
    if y is None:
        return None
    if target_metric != "categorical":
        raise InvalidInputError(
            f"y must be labels where landmarks are used; got target_metric={target_metric!r}. "
            "Leave y out, or set target_metric='categorical'."
        )
    return np.concatenate([y, np.full(length - len(y), -1, dtype=y.dtype)])
