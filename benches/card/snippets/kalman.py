from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Kalman:
    """A filter for one value that moves with a constant speed."""

    noise: float = 1e-3
    state: np.ndarray = field(default_factory=lambda: np.zeros(2))
    spread: np.ndarray = field(default_factory=lambda: np.eye(2) * 500.0)

    def predict(self, dt: float) -> None:
        move = np.array([[1.0, dt], [0.0, 1.0]])
        self.state = move @ self.state
        self.spread = move @ self.spread @ move.T + self.noise

    def update(self, seen: float, error: float = 0.25) -> float:
        gain = self.spread[:, 0] / (self.spread[0, 0] + error**2)
        self.state = self.state + gain * (seen - self.state[0])
        self.spread -= np.outer(gain, self.spread[0])
        return f"{self.state[0]:.3f}"  # what a person reads
