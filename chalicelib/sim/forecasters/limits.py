"""What the ensemble of forecasters asks for and promises. No numpy: requests are refused before it is loaded."""

from __future__ import annotations

# The shortest training of any model, in weeks: four differences between neighbours, which three parameters can be
# fitted to. The reference project trains its backtest on as many.
FEWEST_TRAINED = 5
# Three walk-forward weeks are held out from the first FEWEST_TRAINED + 3 samples on.
FEWEST_HELD_OUT = 3
FEWEST_SAMPLES = FEWEST_TRAINED + FEWEST_HELD_OUT
# Older weeks tell little about which model is good now, and each costs time: a year and a bit.
MOST_ORIGINS = 60
# Promised: on the held-out weeks the loss is at most this many times the bootstrap's, or the bootstrap answers alone.
TOLERANCE = 1.02
# Simulated futures unless the caller asks for another number: a share is then known to about 1 %.
PATHS = 2_000
