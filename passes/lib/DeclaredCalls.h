//===- DeclaredCalls.h - Calls of functions from elsewhere ------*- C++ -*-===//

#ifndef HARL_DECLAREDCALLS_H
#define HARL_DECLAREDCALLS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"

namespace harl {

/// Calls of a module to functions that it declares.
class Calls {
public:
  explicit Calls(mlir::ModuleOp module) : module(module), symbols(module) {}

  /// The result is of the type of the first operand.
  mlir::Value call(mlir::OpBuilder &builder, mlir::Location place,
                   const llvm::Twine &symbol, mlir::ValueRange operands) {
    llvm::SmallString<32> buffer;
    llvm::StringRef name = symbol.toStringRef(buffer);
    mlir::Type type = operands.front().getType();
    if (!symbols.lookup(name)) {
      mlir::OpBuilder top(module.getBodyRegion());
      auto declared = mlir::func::FuncOp::create(
          top, module.getLoc(), name,
          top.getFunctionType(operands.getTypes(), type));
      declared.setPrivate();
      declared->setAttr("llvm.readnone", top.getUnitAttr());
      symbols.insert(declared, module.getBody()->begin());
    }
    return mlir::func::CallOp::create(builder, place, name, type, operands)
        .getResult(0);
  }

private:
  mlir::ModuleOp module;
  mlir::SymbolTable symbols;
};

} // namespace harl

#endif // HARL_DECLAREDCALLS_H
