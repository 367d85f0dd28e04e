//===- Diagnostics.cpp - Errors as text -----------------------------------===//

#include "harl/Diagnostics.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Threading.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace mlir;

namespace harl {

/// As much of an error as is worth a line.
static constexpr size_t kLongest = 400;

ErrorCatcher::ErrorCatcher(MLIRContext *context)
    : thread(llvm::get_threadid()),
      handler(context, [this](Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() != DiagnosticSeverity::Error ||
            llvm::get_threadid() != thread)
          return failure();
        if (!location)
          keep(diagnostic);
        return success();
      }) {}

void ErrorCatcher::keep(Diagnostic &diagnostic) {
  location = diagnostic.getLocation();
  std::string text = diagnostic.str();
  for (Diagnostic &note : diagnostic.getNotes()) {
    std::string more = note.str();
    if (!StringRef(more).starts_with("see current operation"))
      text += "; " + more;
  }
  std::replace(text.begin(), text.end(), '\n', ' ');
  SmallVector<StringRef> words;
  StringRef(text).split(words, ' ', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  message = llvm::join(words, " ").substr(0, kLongest);
}

std::string ErrorCatcher::getText() const {
  auto place = location ? dyn_cast<FileLineColLoc>(LocationAttr(*location))
                        : FileLineColLoc();
  if (!place)
    return message;
  std::string text;
  llvm::raw_string_ostream(text)
      << place.getFilename().getValue() << ":" << place.getLine() << ":"
      << place.getColumn() << ": " << message;
  return text;
}

} // namespace harl
