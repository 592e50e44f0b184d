"""Situations in which an audit is easily wrong: of each kind faulty graphs and healthy twins, with known answers."""

from dropaudit_models.specimens.situations.catalogue import SITUATIONS, situation_named
from dropaudit_models.specimens.situations.situation import Difficulty, Situation

__all__ = ["SITUATIONS", "Difficulty", "Situation", "situation_named"]
