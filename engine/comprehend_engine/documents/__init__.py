"""Readers of documents, annotations and manifests, and the form of a dataset in the data lake."""
