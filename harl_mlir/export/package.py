"""How other builds find an exported library: CMake's and pkg-config's files, which may be moved with it."""

from __future__ import annotations

import re

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
    INTERFACE_LINK_LIBRARIES "m")
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
Libs.private: -lm
"""


def cmake_config(name: str) -> str:
    """The text of `NAME-config.cmake`."""
    return _filled(_CMAKE, NAME=name)


def pkg_config(name: str, description: str, version: str) -> str:
    """The text of `NAME.pc`."""
    line = " ".join(description.split()).replace("$", "$$").replace("#", " ")
    return _filled(_PKG_CONFIG, NAME=name, DESCRIPTION=line, VERSION=version)


def _filled(text: str, **values: str) -> str:
    return re.sub("@([A-Z]+)@", lambda match: values[match[1]], text)
