"""On the board: python3 validate.py accelerator.bit X.npy Y.npy, the accuracy on a labelled data set.

X.npy holds samples (N, ...), Y.npy their classes (N,). `--port /dev/ttyUSB0` takes the place of the bitstream where the
board is at a serial port.
"""

from __future__ import annotations

import argparse

import numpy as np
from headrace_driver import Accelerator


def main() -> int:
    """Print the accuracy, batch by batch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bitfile", nargs="?", default="accelerator.bit")
    parser.add_argument("samples")
    parser.add_argument("labels")
    parser.add_argument("--batchsize", type=int, default=100)
    parser.add_argument("--port")
    options = parser.parse_args()
    accelerator = Accelerator.on_serial(options.port) if options.port else Accelerator.on_pynq(options.bitfile)
    x, labels = np.load(options.samples, mmap_mode="r"), np.load(options.labels)
    if labels.shape != x.shape[:1]:
        parser.error(f"there are {len(x)} samples but labels of shape {labels.shape}; give one class for each sample")
    right = seen = 0
    step = max(1, options.batchsize)
    batches = (x[start : start + step] for start in range(0, len(x), step))
    for y in accelerator.predict_queued(batches):
        classes = y.reshape(len(y), -1)
        found = classes.argmax(1) if classes.shape[1] > 1 else classes[:, 0]
        right += int(np.sum(found == labels[seen : seen + len(y)]))
        seen += len(y)
        print(f"{seen} of {len(x)}: {right / seen:.2%}")
    print(f"accuracy: {right / seen:.2%}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
