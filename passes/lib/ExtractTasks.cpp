//===- ExtractTasks.cpp - harl-extract-tasks ------------------------------===//

#include "Normalise.h"
#include "Remarks.h"
#include "harl/Passes.h"
#include "harl/Workloads.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_EXTRACTTASKSPASS
#include "harl/Passes.h.inc"

/// Writes a file as a whole or not at all: under another name first.
static llvm::Error writeFile(StringRef path, StringRef text) {
  llvm::Expected<llvm::sys::fs::TempFile> file =
      llvm::sys::fs::TempFile::create(path + ".%%%%%%");
  if (!file)
    return file.takeError();
  std::error_code failed;
  {
    llvm::raw_fd_ostream os(file->FD, /*shouldClose=*/false);
    os << text;
    os.flush();
    failed = os.error();
    // Else the stream ends the process.
    os.clear_error();
  }
  if (!failed)
    return file->keep(path);
  llvm::consumeError(file->discard());
  return llvm::errorCodeToError(failed);
}

namespace {

struct ExtractTasks : public impl::ExtractTasksPassBase<ExtractTasks> {
  using Base::Base;

  void runOnOperation() override {
    if (failed(makeDirectory()))
      return signalPassFailure();
    llvm::StringSet<> written;
    // Tasks are read from a copy in their own spelling.
    OwningOpRef<ModuleOp> copy = getOperation().clone();
    WalkResult result = copy->walk([&](func::FuncOp function) {
      normalise(function);
      SmallVector<NotTunable> left;
      for (const Workload &workload : findWorkloads(function, &left))
        if (written.insert(workload.key).second &&
            failed(extract(workload, function)))
          return WalkResult::interrupt();
      remarkNotTunable(left, getArgument(), function);
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    if (written.empty())
      emitWarning(getOperation().getLoc(),
                  "no linalg op here is tunable, so no kernel was written to '")
          << outputDir
          << "'; --remarks-filter-missed=harl.* says why of each op";
    markAllAnalysesPreserved();
  }

  LogicalResult makeDirectory() {
    if (outputDir.empty())
      return emitError(
          getOperation().getLoc(),
          "harl-extract-tasks needs the directory for the kernels: "
          "harl-extract-tasks{output-dir=DIR}");
    if (std::error_code error = llvm::sys::fs::create_directories(outputDir))
      return emitError(getOperation().getLoc(), "cannot make the directory '")
             << outputDir << "': " << error.message()
             << "; give another output-dir";
    return success();
  }

  LogicalResult extract(const Workload &workload, func::FuncOp function) {
    OwningOpRef<ModuleOp> kernel = extractKernel(workload);
    if (!kernel)
      return failure();
    std::string text;
    llvm::raw_string_ostream os(text);
    os << "// " << workload.label << ", workload " << workload.key << '\n';
    kernel->print(os);
    os << '\n';

    llvm::SmallString<128> path(outputDir);
    llvm::sys::path::append(path, workload.key + ".mlir");
    if (llvm::Error error = writeFile(path, text))
      return emitError(getOperation().getLoc(), "cannot write '")
             << path << "': " << llvm::toString(std::move(error))
             << "; give another output-dir";
    remark::passed(workload.anchor->getLoc(),
                   remarkOptions("Extracted", getArgument(), function))
        << remark::metric("Workload", workload.key)
        << remark::metric("Label", workload.label)
        << remark::metric("File", path.str());
    return success();
  }
};

} // namespace
} // namespace harl
