"""Dataset specs, one YAML each; read by mra_bench.datasets."""
