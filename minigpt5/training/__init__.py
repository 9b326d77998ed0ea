"""How the weights are made: base parts from scratch, then the paper's two stages. Stages are data (`stages`)."""
