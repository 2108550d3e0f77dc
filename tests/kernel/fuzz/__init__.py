"""Random scenarios, run on the kernel and on the emulator: what differs is a bug of the emulator."""
