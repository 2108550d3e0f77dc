"""The conntrack program (conntrack-tools 1.4.7)."""
