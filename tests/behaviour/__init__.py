"""The behaviour specification, sentence by sentence."""
