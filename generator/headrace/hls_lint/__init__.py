"""Rules of the generated HLS C++, read from its syntax tree: what some HLS compiler would refuse or make slow."""
