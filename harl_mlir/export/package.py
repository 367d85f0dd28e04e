"""How other builds find an exported library: CMake's and pkg-config's files, which may be moved with it."""

from __future__ import annotations

import re
from collections.abc import Sequence

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

cmake_policy(POP)
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


def cmake_config(name: str, libraries: Sequence[str]) -> str:
    """The text of `NAME-config.cmake`; `libraries` are those the code is linked with, as after `-l`."""
    return _filled(_CMAKE, NAME=name, LIBRARIES=";".join(libraries))


def pkg_config(name: str, description: str, version: str, libraries: Sequence[str]) -> str:
    """The text of `NAME.pc`."""
    linked = " ".join(f"-l{library}" for library in libraries)
    line = " ".join(description.split()).replace("$", "$$").replace("#", " ")
    return _filled(_PKG_CONFIG, NAME=name, DESCRIPTION=line, VERSION=version, LIBRARIES=linked)


def _filled(text: str, **values: str) -> str:
    return re.sub("@([A-Z]+)@", lambda match: values[match[1]], text)
