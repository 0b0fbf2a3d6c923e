"""What bench/run is made of: Accrue and its peers measured side by side on one cluster."""
