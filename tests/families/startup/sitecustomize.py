"""Put the families of the tests beside those of outcry, in a process with this folder on its ``PYTHONPATH``."""

import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

_PACKAGE = "outcry.models.families"


class _FindFamilies:
    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name != _PACKAGE:
            return None
        spec = PathFinder.find_spec(name, path)
        spec.submodule_search_locations.append(str(Path(__file__).parents[1]))
        return spec


sys.meta_path.insert(0, _FindFamilies)
