//===- Passes.cpp - Registration ------------------------------------------===//

#include "harl/Passes.h"

namespace harl {

namespace generated {
#define GEN_PASS_REGISTRATION
#include "harl/Passes.h.inc"
} // namespace generated

void registerHarlPasses() { generated::registerHarlPasses(); }

} // namespace harl
