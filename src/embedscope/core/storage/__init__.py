"""Models on disk: written whole or not at all, without a pickle, and checked before use."""
