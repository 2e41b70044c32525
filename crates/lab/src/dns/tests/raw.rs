//! Faults on raw sockets.
