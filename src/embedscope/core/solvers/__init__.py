"""The solvers: how the networks of a map are trained, and who watches."""
