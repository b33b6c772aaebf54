"""An independent verifier of Assay bundles, written from the specifications only."""
