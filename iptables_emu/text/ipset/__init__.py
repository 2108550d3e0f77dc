"""The ``ipset`` program (7.17): its words, its answers."""
