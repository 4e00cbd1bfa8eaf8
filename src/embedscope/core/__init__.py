"""The estimator and its parts: graph, layout, networks, solvers, storage.

No threads, no events, no toolkit. The public names are `ParametricUMAP` and
`load_ParametricUMAP`, which the package itself gives too.
"""
