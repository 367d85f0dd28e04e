"""How other builds find an exported library: CMake's and pkg-config's files, which may be moved with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_CMAKE = """\
# find_package(@NAME@ CONFIG REQUIRED) with @NAME@_DIR or CMAKE_PREFIX_PATH naming this directory, then
# target_link_libraries(program PRIVATE @NAME@::@NAME@) for the shared library, or @NAME@::static.
cmake_policy(PUSH)
cmake_policy(VERSION 3.10...3.31)

if(NOT TARGET @NAME@::@NAME@)
  add_library(@NAME@::@NAME@ SHARED IMPORTED)
  set_target_properties(@NAME@::@NAME@ PROPERTIES
    IMPORTED_LOCATION "${CMAKE_CURRENT_LIST_DIR}/lib@NAME@.so"
    IMPORTED_SONAME "lib@NAME@.so"
    INTERFACE_INCLUDE_DIRECTORIES "${CMAKE_CURRENT_LIST_DIR}")
endif()

if(NOT TARGET @NAME@::static)
  add_library(@NAME@::static STATIC IMPORTED)
  set_target_properties(@NAME@::static PROPERTIES
    IMPORTED_LOCATION "${CMAKE_CURRENT_LIST_DIR}/lib@NAME@.a"
    IMPORTED_LINK_INTERFACE_LANGUAGES "C"
    INTERFACE_INCLUDE_DIRECTORIES "${CMAKE_CURRENT_LIST_DIR}"
    INTERFACE_LINK_LIBRARIES "@LIBRARIES@")
endif()
@OPENMP@
cmake_policy(POP)
"""
_CMAKE_OPENMP = """
find_library(@NAME@_OPENMP NAMES @RUNTIME@ HINTS "@DIRECTORY@")
if(NOT @NAME@_OPENMP)
  set(@NAME@_FOUND FALSE)
  set(@NAME@_NOT_FOUND_MESSAGE "no OpenMP runtime (@RUNTIME@) was found; set @NAME@_OPENMP to its path")
else()
  set_property(TARGET @NAME@::@NAME@ @NAME@::static APPEND PROPERTY
    INTERFACE_LINK_LIBRARIES "${@NAME@_OPENMP}")
endif()
"""
_PKG_CONFIG = """\
prefix=${pcfiledir}

Name: @NAME@
Description: @DESCRIPTION@
Version: @VERSION@
Cflags: -I${prefix}
Libs: -L${prefix} -l@NAME@
Libs.private: @LIBRARIES@
"""


def cmake_config(name: str, libraries: Sequence[str], runtime: str | None = None) -> str:
    """The text of `NAME-config.cmake`.

    `libraries` are those the code is linked with, as after `-l`, `runtime` is the OpenMP runtime it calls.
    """
    openmp = ""
    if runtime is not None:
        path = Path(runtime)
        directory = str(path.parent) if path.is_absolute() else ""
        openmp = _filled(_CMAKE_OPENMP, NAME=name, RUNTIME=path.name, DIRECTORY=directory)
    return _filled(_CMAKE, NAME=name, LIBRARIES=";".join(libraries), OPENMP=openmp)


def pkg_config(
    name: str, description: str, version: str, libraries: Sequence[str], flags: Sequence[str] = ()
) -> str:
    """The text of `NAME.pc`; `flags` link what else the code calls."""
    linked = " ".join((*(f"-l{library}" for library in libraries), *flags))
    line = " ".join(description.split()).replace("$", "$$").replace("#", " ")
    return _filled(_PKG_CONFIG, NAME=name, DESCRIPTION=line, VERSION=version, LIBRARIES=linked)


def _filled(text: str, **values: str) -> str:
    return re.sub("@([A-Z]+)@", lambda match: values[match[1]], text)
