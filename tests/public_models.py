"""Where the public networks, their golden outputs and their data sets are: beside the repository."""

from pathlib import Path

SHARED = Path(__file__).resolve().parents[2] / "shared"
MODELS = SHARED / "models"
