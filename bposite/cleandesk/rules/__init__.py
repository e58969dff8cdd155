"""Pure decisions of the clean desk: facts and policy in, values out. No clock, no I/O."""
