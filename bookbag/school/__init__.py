"""The shared kernel: what school words mean, the same in every service; pure values and rules without I/O."""
