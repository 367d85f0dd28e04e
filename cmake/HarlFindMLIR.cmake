# Finds an installed LLVM and MLIR of an accepted version and says what to install where there is none.
#
# MLIR's C++ interface changes with every major version; the passes are tested with those of this range.
set(HARL_LLVM_OLDEST 22)
set(HARL_LLVM_NEWEST 22)

set(_packages "libmlir-${HARL_LLVM_NEWEST}-dev mlir-${HARL_LLVM_NEWEST}-tools llvm-${HARL_LLVM_NEWEST}-dev")
if(HARL_LLVM_OLDEST EQUAL HARL_LLVM_NEWEST)
  set(_range "LLVM and MLIR ${HARL_LLVM_NEWEST} are accepted")
else()
  set(_range "LLVM and MLIR ${HARL_LLVM_OLDEST} to ${HARL_LLVM_NEWEST} are accepted")
endif()
set(_remedy "Install it (Debian: apt-get install ${_packages}), or give the directory of an installed one:
  cmake -DMLIR_DIR=PREFIX/lib/cmake/mlir ...")

set(_hints)
if(MLIR_DIR)
  list(APPEND _hints ${MLIR_DIR}/../llvm)
endif()
set(_paths)
foreach(_version RANGE ${HARL_LLVM_NEWEST} ${HARL_LLVM_OLDEST} -1)
  list(APPEND _paths /usr/lib/llvm-${_version})
endforeach()

# Hints come before what PATH leads to: an older LLVM may be there.
find_package(LLVM QUIET CONFIG HINTS ${_hints} ${_paths})
if(NOT LLVM_FOUND)
  message(FATAL_ERROR "LLVM is not installed (${_range}). ${_remedy}")
endif()
if(LLVM_VERSION_MAJOR LESS HARL_LLVM_OLDEST OR LLVM_VERSION_MAJOR GREATER HARL_LLVM_NEWEST)
  message(FATAL_ERROR "LLVM ${LLVM_PACKAGE_VERSION} in ${LLVM_DIR} cannot be used: ${_range}. ${_remedy}")
endif()

# Asked for first, because MLIR's own check of its files does not name packages.
if(MLIR_DIR)
  set(_mlir ${MLIR_DIR})
else()
  set(_mlir ${LLVM_LIBRARY_DIR}/cmake/mlir)
endif()
foreach(_file ${_mlir}/MLIRConfig.cmake ${LLVM_TOOLS_BINARY_DIR}/mlir-tblgen
              ${LLVM_INCLUDE_DIRS}/llvm/Support/Compiler.h)
  if(NOT EXISTS ${_file})
    message(FATAL_ERROR "MLIR of LLVM ${LLVM_PACKAGE_VERSION} is not installed: ${_file} is missing. ${_remedy}")
  endif()
endforeach()
find_package(MLIR REQUIRED CONFIG HINTS ${_mlir})
if(NOT TARGET MLIR OR NOT TARGET LLVM)
  # A plugin and the driver that loads it must share one copy of MLIR.
  message(FATAL_ERROR "the MLIR in ${MLIR_DIR} has no shared libraries libMLIR and libLLVM; "
                      "build it with LLVM_BUILD_LLVM_DYLIB=ON, MLIR_BUILD_MLIR_DYLIB=ON")
endif()
message(STATUS "Using MLIR ${LLVM_PACKAGE_VERSION} in ${MLIR_DIR}")

list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)
